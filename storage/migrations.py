"""The schemas of the two files, each as a list of migrations: step n upgrades a file from version n to version n + 1.

Published steps are never changed. Later changes are new steps.
"""

from __future__ import annotations

from collections.abc import Sequence

_FIRST = """
CREATE TABLE files (
    hash TEXT PRIMARY KEY,  -- SHA-256 of the data, in hexadecimal
    data BLOB NOT NULL
);
CREATE TABLE images (
    id TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,  -- seconds since 1970
    request TEXT NOT NULL,  -- JSON
    image TEXT REFERENCES files (hash),
    mask TEXT REFERENCES files (hash),
    result TEXT NOT NULL,  -- JSON: settings really used, seed and variations of each picture
    lineage TEXT,  -- JSON: what it was made from; null for one made from nothing
    expires REAL  -- seconds since 1970; null: with its message
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
    created REAL NOT NULL,  -- seconds since 1970
    history TEXT NOT NULL,  -- JSON: the request, and the segments that the model wrote
    expires REAL  -- seconds since 1970; null: with its message
);
CREATE INDEX completions_by_message ON completions (message);
CREATE INDEX completions_by_channel ON completions (channel);
CREATE INDEX completions_by_owner ON completions (owner);
CREATE TABLE answers (
    id TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,  -- seconds since 1970
    answer TEXT NOT NULL,  -- JSON
    expires REAL NOT NULL  -- seconds since 1970
);
CREATE INDEX answers_by_message ON answers (message);
CREATE INDEX answers_by_channel ON answers (channel);
CREATE INDEX answers_by_owner ON answers (owner);
CREATE TABLE server_settings (
    id INTEGER PRIMARY KEY,  -- of the server
    settings TEXT NOT NULL  -- JSON
);
CREATE TABLE person_settings (
    id INTEGER PRIMARY KEY,  -- of the person
    settings TEXT NOT NULL  -- JSON
);
CREATE TABLE blocks (
    kind TEXT NOT NULL,  -- person or server
    id INTEGER NOT NULL,  -- of the person or the server
    server INTEGER NOT NULL,  -- on which it holds; 0: everywhere
    reason TEXT NOT NULL,
    until REAL,  -- seconds since 1970; null: for good
    "by" INTEGER NOT NULL,  -- who did it; 0: not known any more
    created REAL NOT NULL,  -- seconds since 1970
    PRIMARY KEY (kind, id, server)
);
CREATE TABLE sent_answers (
    id INTEGER PRIMARY KEY,  -- that of the message
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,  -- seconds since 1970
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    expires REAL NOT NULL  -- seconds since 1970
);
CREATE INDEX sent_answers_by_message ON sent_answers (message);
CREATE INDEX sent_answers_by_channel ON sent_answers (channel);
CREATE INDEX sent_answers_by_owner ON sent_answers (owner);
CREATE TABLE thoughts (
    id INTEGER PRIMARY KEY,  -- that of the message
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,  -- seconds since 1970
    text TEXT NOT NULL,
    expires REAL NOT NULL  -- seconds since 1970
);
CREATE INDEX thoughts_by_message ON thoughts (message);
CREATE INDEX thoughts_by_channel ON thoughts (channel);
CREATE INDEX thoughts_by_owner ON thoughts (owner);
CREATE TABLE reports (
    id TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,  -- who reported it
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,  -- seconds since 1970
    expires REAL NOT NULL,  -- seconds since 1970
    UNIQUE (message, owner)
);
CREATE INDEX reports_by_channel ON reports (channel);
CREATE INDEX reports_by_owner ON reports (owner);
CREATE TABLE device_use (
    day INTEGER NOT NULL,  -- since 1970, in UTC
    owner INTEGER NOT NULL,  -- 0: nobody that is known any more
    server INTEGER NOT NULL,  -- 0: a direct message
    seconds REAL NOT NULL,
    PRIMARY KEY (day, owner, server)
);
"""

_FIRST_OF_JOBS = """
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- who came first; never given again: a row may be deleted twice
    owner INTEGER NOT NULL,
    server INTEGER NOT NULL,  -- 0: a direct message
    channel INTEGER NOT NULL,
    message INTEGER,  -- null until Discord has named it
    created REAL NOT NULL,  -- seconds since 1970
    target TEXT NOT NULL,  -- JSON: where the reply goes
    work TEXT NOT NULL,  -- JSON: the request and all that its answer needs; empty while its inputs are read
    cost REAL NOT NULL DEFAULT 0,  -- seconds of a device that it is expected to take; 0: not known
    at_work INTEGER NOT NULL DEFAULT 0,  -- whether a model works on it now
    deaths INTEGER NOT NULL DEFAULT 0  -- how often the process has ended while a model worked on it
);
CREATE INDEX jobs_by_owner ON jobs (owner);
CREATE TABLE questions (
    id TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,  -- seconds since 1970
    target TEXT NOT NULL,  -- JSON: where it is
    state TEXT NOT NULL,  -- JSON: what it is about, and what is chosen so far
    picture BLOB NOT NULL,  -- that it shows, perhaps empty
    work TEXT NOT NULL,  -- JSON: what is to be done if the person says yes
    expires REAL NOT NULL  -- seconds since 1970
);
CREATE INDEX questions_by_owner ON questions (owner);
CREATE TABLE opened_forms (
    id TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,  -- on whose menu the form was opened
    created REAL NOT NULL,  -- seconds since 1970
    payload TEXT NOT NULL,  -- JSON: the message
    expires REAL NOT NULL  -- seconds since 1970
);
CREATE INDEX opened_forms_by_owner ON opened_forms (owner);
CREATE TABLE identifies (
    bucket INTEGER PRIMARY KEY,  -- of the gateway's shards
    next REAL NOT NULL  -- when its next session may begin, in seconds since 1970
);
"""

STEPS = (_FIRST,)
JOB_STEPS = (_FIRST_OF_JOBS,)


def steps_from(steps: Sequence[str], version: int) -> list[str]:
    """Return the SQL scripts that upgrade a file of `version`, each in its own transaction."""
    return [
        f"BEGIN;\n{step}\nPRAGMA user_version = {number};\nCOMMIT;"
        for number, step in enumerate(steps[version:], start=version + 1)
    ]
