"""The tables, as a list of steps: step n takes a file from version n to version n + 1.

A step that has been published is never changed; what comes later is a step of its own.
"""

from __future__ import annotations

_DRAWINGS = """
CREATE TABLE files (
    hash TEXT PRIMARY KEY,  -- SHA-256 of the data, in hexadecimal
    data BLOB NOT NULL
);
CREATE TABLE drawings (
    id TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,  -- seconds since 1970
    request TEXT NOT NULL,  -- JSON
    image TEXT REFERENCES files (hash),
    mask TEXT REFERENCES files (hash),
    drawing TEXT NOT NULL,  -- JSON: settings really used, seed and variations of each picture
    origin TEXT  -- JSON: what it was made from; null for a drawing from nothing
);
CREATE INDEX drawings_by_message ON drawings (message);
CREATE INDEX drawings_by_channel ON drawings (channel);
CREATE INDEX drawings_by_image ON drawings (image);
CREATE INDEX drawings_by_mask ON drawings (mask);
CREATE TRIGGER files_of_no_drawing AFTER DELETE ON drawings BEGIN
    DELETE FROM files
    WHERE hash IN (OLD.image, OLD.mask)
        AND NOT EXISTS (SELECT 1 FROM drawings WHERE image = files.hash)
        AND NOT EXISTS (SELECT 1 FROM drawings WHERE mask = files.hash);
END;
"""

_SETTINGS = """
CREATE TABLE server_settings (
    id INTEGER PRIMARY KEY,  -- of the server
    settings TEXT NOT NULL  -- JSON
);
CREATE TABLE person_settings (
    id INTEGER PRIMARY KEY,  -- of the person
    settings TEXT NOT NULL  -- JSON
);
CREATE INDEX drawings_by_owner ON drawings (owner);
"""

_COMPLETIONS = """
CREATE TABLE completions (
    id TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    created REAL NOT NULL,  -- seconds since 1970
    story TEXT NOT NULL  -- JSON: the request, and the pieces that the model wrote
);
CREATE INDEX completions_by_message ON completions (message);
CREATE INDEX completions_by_channel ON completions (channel);
CREATE INDEX completions_by_owner ON completions (owner);
"""

_EXPIRY = """
ALTER TABLE drawings ADD COLUMN expires REAL;  -- seconds since 1970; null: with its message
ALTER TABLE completions ADD COLUMN expires REAL;
"""

_STEPS = (_DRAWINGS, _SETTINGS, _COMPLETIONS, _EXPIRY)

VERSION = len(_STEPS)


def steps_from(version: int) -> list[str]:
    """SQL scripts that bring a file of `version` up to date, each in a transaction of its own."""
    return [
        f"BEGIN;\n{step}\nPRAGMA user_version = {number};\nCOMMIT;"
        for number, step in enumerate(_STEPS[version:], start=version + 1)
    ]
