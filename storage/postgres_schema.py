"""The schemas of `storage/migrations.py` in the words of Postgres, and the notices of changes.

A notice goes to all processes when a transaction that changed a row of certain tables is committed. It is the name of
the table and the id of the row, or all values of a row of `device_use`, separated by spaces.
"""

from __future__ import annotations

import re

from storage.migrations import JOB_STEPS, STEPS

CHANNEL = "inkling_changes"
"""The channel of the notices."""

_TYPES = {
    "INTEGER PRIMARY KEY AUTOINCREMENT": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "INTEGER": "BIGINT",
    "REAL": "DOUBLE PRECISION",
    "BLOB": "BYTEA",
}
_TYPE = re.compile(rf"\b({'|'.join(_TYPES)})\b")
_TRIGGER = re.compile(r"CREATE TRIGGER (\w+) AFTER DELETE ON (\w+) BEGIN(.*?)\nEND;", re.DOTALL)
_FUNCTION = r"""
CREATE FUNCTION \1() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\3
    RETURN NULL;
END $$;
CREATE TRIGGER \1 AFTER DELETE ON \2 FOR EACH ROW EXECUTE FUNCTION \1();
"""

_NOTICES = f"""
CREATE FUNCTION send_id() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_notify('{CHANNEL}', concat_ws(' ', TG_TABLE_NAME, coalesce(NEW.id, OLD.id)));
    RETURN NULL;
END $$;
CREATE FUNCTION send_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_notify('{CHANNEL}', concat_ws(' ', TG_TABLE_NAME, NEW.day, NEW.owner, NEW.server, NEW.seconds));
    RETURN NULL;
END $$;
CREATE TRIGGER notice AFTER INSERT OR UPDATE OR DELETE ON server_settings FOR EACH ROW EXECUTE FUNCTION send_id();
CREATE TRIGGER notice AFTER INSERT OR UPDATE OR DELETE ON person_settings FOR EACH ROW EXECUTE FUNCTION send_id();
CREATE TRIGGER notice AFTER INSERT OR UPDATE OR DELETE ON blocks FOR EACH ROW EXECUTE FUNCTION send_id();
CREATE TRIGGER notice AFTER INSERT OR UPDATE ON device_use FOR EACH ROW EXECUTE FUNCTION send_row();
"""


def in_postgres(step: str) -> str:
    """Return a step of SQLite in the words of Postgres."""
    return _TRIGGER.sub(_FUNCTION, _TYPE.sub(lambda match: _TYPES[match[1]], step))


POSTGRES_STEPS = (in_postgres(STEPS[0]) + _NOTICES, *map(in_postgres, STEPS[1:]))
POSTGRES_JOB_STEPS = tuple(map(in_postgres, JOB_STEPS))
