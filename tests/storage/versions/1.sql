-- A dump of a database that storage version 1 wrote. Never change the dump of a released version.
BEGIN TRANSACTION;
CREATE TABLE files (
    hash TEXT PRIMARY KEY,  -- SHA-256 of the data, in hexadecimal
    data BLOB NOT NULL
);
INSERT INTO "files" VALUES('92b2fa58028958317e408bd84ecfa70f5ee35b121991dbc232c49d166353708b',X'612070696374757265');
INSERT INTO "files" VALUES('2133c39562b7867c3745f3c82f1f2ad8f3641f16478cba97f7648cbe6a36a3bd',X'61206D61736B');
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
INSERT INTO "images" VALUES('fox',1,2,3,1750000000.5,'{"type": "ImagineRequest", "model": "", "owner": "", "prompt": "a fox", "negative_prompt": "", "width": 0, "height": 0, "steps": 0, "guidance_scale": null, "sampler": "Euler a", "seed": null, "variations": [{"type": "Variation", "seed": 9, "strength": 0.2}], "count": 1, "image": {"type": "bytes", "base64": ""}, "mask": {"type": "bytes", "base64": ""}, "region": "", "strength": 0.6, "largest_side": 1024, "temperature": 1.0, "top_k": 0, "lora": "", "show_flagged": false, "require_safety_checker": false}','92b2fa58028958317e408bd84ecfa70f5ee35b121991dbc232c49d166353708b','2133c39562b7867c3745f3c82f1f2ad8f3641f16478cba97f7648cbe6a36a3bd','{"type": "ImageResult", "pictures": [{"type": "GeneratedImage", "png": {"type": "bytes", "base64": ""}, "seed": 7, "flagged": false, "variations": []}, {"type": "GeneratedImage", "png": {"type": "bytes", "base64": ""}, "seed": 7, "flagged": true, "variations": [{"type": "Variation", "seed": 10, "strength": 0.2}]}], "width": 512, "height": 768, "steps": 25, "guidance_scale": 7.5, "sampler": "Euler a", "strength": 0.6, "note": {"type": "Phrase", "sentence": "This model always takes {steps} steps.", "values": {"steps": 25}}}','{"image_id": "parent", "how": "variations", "picture": 2}',NULL);
INSERT INTO "images" VALUES('hare',6,7,8,1750000001.0,'{"type": "ImagineRequest", "model": "", "owner": "", "prompt": "a hare", "negative_prompt": "", "width": 0, "height": 0, "steps": 0, "guidance_scale": null, "sampler": null, "seed": null, "variations": [], "count": 1, "image": {"type": "bytes", "base64": ""}, "mask": {"type": "bytes", "base64": ""}, "region": "", "strength": null, "largest_side": 1024, "temperature": 1.0, "top_k": 0, "lora": "", "show_flagged": false, "require_safety_checker": false}',NULL,NULL,'{"type": "ImageResult", "pictures": [{"type": "GeneratedImage", "png": {"type": "bytes", "base64": ""}, "seed": 1, "flagged": false, "variations": []}], "width": 512, "height": 512, "steps": 25, "guidance_scale": 7.5, "sampler": "", "strength": null, "note": {"type": "Phrase", "sentence": "", "values": {}}}',NULL,1750086401.0);
CREATE TABLE person_settings (
    id INTEGER PRIMARY KEY,  -- of the person
    settings TEXT NOT NULL  -- JSON
);
INSERT INTO "person_settings" VALUES(1,'{"models":{"complete":"gpt2"},"language":"de","private":true}');
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
INSERT INTO "blocks" VALUES('person',1,5,'Spam',1750600000.0,2,1750000005.5);
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
INSERT INTO "sent_answers" VALUES(3,1,2,3,1750000000.5,'imagine','dalle-mini',1752592000.5);
CREATE TABLE thoughts (
    id INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,
    text TEXT NOT NULL,
    expires REAL NOT NULL
);
INSERT INTO "thoughts" VALUES(3,1,2,3,1750000000.5,'A fox is red.',1752592000.5);
CREATE TABLE reports (
    id TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL,
    UNIQUE (message, owner)
);
INSERT INTO "reports" VALUES('first',1,2,3,1750000006.5,1752592006.5);
CREATE TABLE answers (
    id TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,
    answer TEXT NOT NULL,
    expires REAL NOT NULL
);
INSERT INTO "answers" VALUES('when',1,2,10,1750000003.0,'{"type": "StoredAnswer", "owner": 1, "question": "When?", "evidence": "At **noon**.", "around": "We meet at **noon**.", "passages": "We meet at noon.", "note": ""}',1750003603.0);
CREATE TABLE server_settings (
    id INTEGER PRIMARY KEY,  -- of the server
    settings TEXT NOT NULL  -- JSON
);
INSERT INTO "server_settings" VALUES(5,'{"models":{"imagine":"dalle-mini"},"private":true,"channels":[10,4611686018427387904],"roles":[20],"pictures":2,"new_tokens":100,"messages":50,"per_person":1}');
CREATE TABLE completions (
    id TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,  -- seconds since 1970
    history TEXT NOT NULL,  -- JSON: the request, and the segments that the model wrote
    expires REAL  -- seconds since 1970; null: with its message
);
INSERT INTO "completions" VALUES('once',1,2,9,1750000002.0,'{"request":{"model":"gpt2","owner":"1","prompt":"Once","prefill":"","messages":[],"system":"","max_new_tokens":64,"temperature":0.3,"top_p":0.95,"repetition_penalty":1.0,"stop":["END","\n"],"n":2,"seed":null},"segments":[{"variants":[{"text":" upon","seed":7,"finish_reason":"stop"},{"text":" there","seed":8,"finish_reason":"length"},{"text":" more","seed":9,"finish_reason":"length"}],"shown":0}],"chat":true,"follows":false}',NULL);
CREATE TABLE device_use (
    day INTEGER NOT NULL,  -- since 1970, in UTC
    owner INTEGER NOT NULL,  -- 0: nobody that is known any more
    server INTEGER NOT NULL,  -- 0: a direct message
    seconds REAL NOT NULL,
    PRIMARY KEY (day, owner, server)
);
INSERT INTO "device_use" VALUES(20254,1,5,12.5);
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
CREATE INDEX completions_by_message ON completions (message);
CREATE INDEX completions_by_channel ON completions (channel);
CREATE INDEX completions_by_owner ON completions (owner);
CREATE INDEX answers_by_message ON answers (message);
CREATE INDEX answers_by_channel ON answers (channel);
CREATE INDEX answers_by_owner ON answers (owner);
CREATE INDEX sent_answers_by_message ON sent_answers (message);
CREATE INDEX sent_answers_by_channel ON sent_answers (channel);
CREATE INDEX sent_answers_by_owner ON sent_answers (owner);
CREATE INDEX thoughts_by_message ON thoughts (message);
CREATE INDEX thoughts_by_channel ON thoughts (channel);
CREATE INDEX thoughts_by_owner ON thoughts (owner);
CREATE INDEX reports_by_channel ON reports (channel);
CREATE INDEX reports_by_owner ON reports (owner);
COMMIT;
PRAGMA user_version = 1;
