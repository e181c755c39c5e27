"""`.env`: what people write into it is found, and what can't be read never starts the preview."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import bot


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the token of the person who runs the tests, and undo what a test sets."""
    for name in ("DISCORD_TOKEN", "INKLING_OTHER"):
        monkeypatch.setenv(name, "to be undone after the test")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bot, "_preview", lambda port: pytest.fail("The preview was started."))


def token_in(content: bytes) -> str | None:
    Path(".env").write_bytes(content)
    bot.read_env(Path(".env"))
    return os.environ.get("DISCORD_TOKEN")


@pytest.mark.parametrize(
    "text",
    [
        "DISCORD_TOKEN=abc.def",
        "DISCORD_TOKEN=abc.def # of the test server",
        "DISCORD_TOKEN = 'abc.def'  # of the test server",
        'export   DISCORD_TOKEN="abc.def"\n',
        "\n\n  DISCORD_TOKEN=abc.def  \n",
        "# a comment\nINKLING_OTHER=1\nDISCORD_TOKEN=abc.def\n",
        "NOTE='two\nlines'\nDISCORD_TOKEN=abc.def",
        "# DISCORD_TOKEN=old\nDISCORD_TOKEN=abc.def",
        "nonsense\nDISCORD_TOKEN=abc.def",
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_a_token_is_found_in_every_form(text: str, line_end: str, encoding: str) -> None:
    assert token_in(text.replace("\n", line_end).encode(encoding)) == "abc.def"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_a_comment_may_have_letters_of_any_encoding(encoding: str) -> None:
    assert token_in("# für den Bot\nDISCORD_TOKEN=abc.def # größer\n".encode(encoding)) == "abc.def"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"INKLING_OTHER=caf\xe9\nDISCORD_TOKEN=abc", "line 1 is not UTF-8"),
        ("DISCORD_TOKEN=abc".encode("utf-16-le"), "is not UTF-8. Save the file as UTF-8."),
        (b"\xff\xfeD", "is not UTF-8"),
        (b'\n\nDISCORD_TOKEN="abc', "line 3 can't be read. Write NAME=value"),
        (b"# first\nDISCORD_TOKEN='abc\nINKLING_OTHER='b'", "line 2 can't be read"),
        (b'INKLING_OTHER="abc\nDISCORD_TOKEN=def', "line 1 can't be read"),
        (b"DISCORD_TOKEN: abc", "line 1 can't be read"),
        (b"DISCORD_TOKEN abc", "line 1 can't be read"),
        (b"DISCORD_BOT_TOKEN=abc", "line 1 can't be read"),
        (b"# other bots\nTOKEN=abc", "line 2 can't be read"),
        (b"export BOT_TOKEN=abc", "line 1 can't be read"),
        (b"DISCORD_TOKEN=\nabc", "line 2 can't be read"),
        (b"abc.def", "line 1 can't be read"),
        (b"discord_token=abc", "line 1 can't be read"),
        (b"DISCORD-TOKEN=abc", "line 1 can't be read"),
        (b"set DISCORD_TOKEN=abc", "line 1 can't be read"),
        ("\u200bDISCORD_TOKEN=abc".encode(), "line 1 can't be read"),
        ("DISCORD_TOKEN=abc\u200b".encode(), "DISCORD_TOKEN has a letter that no token has"),
        (b"DISCORD_TOKEN='abc\nINKLING_OTHER=d'", "DISCORD_TOKEN has a letter that no token has"),
        (b"DISCORD_TOKEN=abc def", "DISCORD_TOKEN has a letter that no token has"),
    ],
)
def test_a_token_that_can_not_be_read_is_reported_and_starts_no_preview(
    content: bytes, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(".env").write_bytes(content)
    assert bot.main([]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "abc" not in said.replace("DISCORD_TOKEN=abc.", "")
    assert said.count("\n") == 1


def test_a_file_whose_name_windows_hides_is_reported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".env.txt").write_bytes(b"DISCORD_TOKEN=abc")
    assert bot.main([]) == 2
    assert capsys.readouterr().err.startswith(".env.txt must be called .env.")
    monkeypatch.setenv("DISCORD_TOKEN", "abc.def")
    bot.read_env(Path(".env"))


def test_a_file_that_can_not_be_read_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".env").mkdir()
    assert bot.main([]) == 2
    assert capsys.readouterr().err == ".env can't be read: Is a directory.\n"


@pytest.mark.parametrize("content", [b"", b"DISCORD_TOKEN=\n", b"DISCORD_TOKEN=''", b"# DISCORD_TOKEN=abc", b"# none"])
def test_without_a_token_the_preview_starts(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot, "_preview", lambda port: 7)
    Path(".env").write_bytes(content)
    assert bot.main([]) == 7


def test_an_empty_variable_does_not_hide_the_token_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "")
    assert token_in(b"DISCORD_TOKEN=abc.def") == "abc.def"
