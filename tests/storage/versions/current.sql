-- The tables of the current version, written by hand. Every database has them after the bot opened it.
CREATE TABLE files (
    hash TEXT PRIMARY KEY,
    data BLOB NOT NULL
);
CREATE TABLE images (
    id TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,
    request TEXT NOT NULL,
    image TEXT REFERENCES files (hash),
    mask TEXT REFERENCES files (hash),
    result TEXT NOT NULL,
    lineage TEXT,
    expires REAL
);
CREATE INDEX images_by_message ON images (message);
CREATE INDEX images_by_channel ON images (channel);
CREATE INDEX images_by_owner ON images (owner);
CREATE INDEX images_by_image ON images (image);
CREATE INDEX images_by_mask ON images (mask);
CREATE TRIGGER files_of_no_image AFTER DELETE ON images BEGIN
    DELETE FROM files
    WHERE hash IN (OLD.image, OLD.mask)
        AND NOT EXISTS (SELECT 1 FROM images WHERE image = files.hash)
        AND NOT EXISTS (SELECT 1 FROM images WHERE mask = files.hash);
END;
CREATE TABLE completions (
    id TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,
    history TEXT NOT NULL,
    expires REAL
);
CREATE INDEX completions_by_message ON completions (message);
CREATE INDEX completions_by_channel ON completions (channel);
CREATE INDEX completions_by_owner ON completions (owner);
CREATE TABLE answers (
    id TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,
    answer TEXT NOT NULL,
    expires REAL NOT NULL
);
CREATE INDEX answers_by_message ON answers (message);
CREATE INDEX answers_by_channel ON answers (channel);
CREATE INDEX answers_by_owner ON answers (owner);
CREATE TABLE server_settings (
    id INTEGER PRIMARY KEY,
    settings TEXT NOT NULL
);
CREATE TABLE person_settings (
    id INTEGER PRIMARY KEY,
    settings TEXT NOT NULL
);
CREATE TABLE blocks (
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    server INTEGER NOT NULL,
    reason TEXT NOT NULL,
    until REAL,
    "by" INTEGER NOT NULL,
    created REAL NOT NULL,
    PRIMARY KEY (kind, id, server)
);
CREATE TABLE sent_answers (
    id INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    expires REAL NOT NULL
);
CREATE INDEX sent_answers_by_message ON sent_answers (message);
CREATE INDEX sent_answers_by_channel ON sent_answers (channel);
CREATE INDEX sent_answers_by_owner ON sent_answers (owner);
CREATE TABLE thoughts (
    id INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,
    text TEXT NOT NULL,
    expires REAL NOT NULL
);
CREATE INDEX thoughts_by_message ON thoughts (message);
CREATE INDEX thoughts_by_channel ON thoughts (channel);
CREATE INDEX thoughts_by_owner ON thoughts (owner);
CREATE TABLE reports (
    id TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL,
    UNIQUE (message, owner)
);
CREATE INDEX reports_by_channel ON reports (channel);
CREATE INDEX reports_by_owner ON reports (owner);
CREATE TABLE device_use (
    day INTEGER NOT NULL,
    owner INTEGER NOT NULL,
    server INTEGER NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (day, owner, server)
);
