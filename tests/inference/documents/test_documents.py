"""Test reading documents of every supported format, and damaged or malicious ones."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from inference import InvalidRequest, document_text
from tests.inference.documents.sample_documents import book, pdf_of, word_of

PAGE = """<!DOCTYPE html><html><head><title>Ships &amp; sails</title><style>p { color: red }</style></head>
<body><nav><a href="/">Home</a></nav><h1>The ship</h1><p>It is <b>very</b>
old.<p>Built in 1912.<br>Repaired twice.<table><tr><th>Mast<th>Height<tr><td>Main<td>30 m</table>
<script>alert("no")</script></body>"""


def refusal(data: bytes, name: str, **limits: float) -> str:
    with pytest.raises(InvalidRequest) as refused:
        document_text(data, name, **limits)  # pyright: ignore[reportArgumentType]
    return str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_plain_text_is_read_in_every_common_encoding(encoding: str) -> None:
    assert document_text("Zoë’s café".encode(encoding), "notes.md") == "Zoë’s café"


def test_an_invalid_byte_in_utf_8_text_does_not_change_the_detected_encoding() -> None:
    assert document_text("Zoë’s café".encode() + b"\xff", "a.txt") == "Zoë’s café\N{REPLACEMENT CHARACTER}"
    assert document_text("Zoë’s café".encode()[:-1], "a.txt") == "Zoë’s caf\N{REPLACEMENT CHARACTER}"
    assert document_text(b"caf\xe9", "a.txt") == "café"


def test_terminal_escape_sequences_are_removed() -> None:
    assert document_text(b"\x1b]0;title\ahello \x1b[1;31mred\x1b[0m\x1b]8;;x\x1b\\ \x1b", "a.log") == "hello red"


@pytest.mark.parametrize("part", ["\x1b", "\x1b]", "\x1b[", "\x1b[1;", "\x1b]a\x1b", "\n", "\r"])
def test_many_control_characters_are_processed_in_time(part: str) -> None:
    assert document_text(f"{part * 200_000}\x1b[mEnd.".encode(), "a.log").endswith("End.")
    assert document_text(f"\x1b{part[1:] * 200_000}\x1b[mEnd.".encode(), "a.log").endswith("End.")


def test_the_pages_of_a_pdf_are_read_in_order() -> None:
    assert document_text(pdf_of([["One (1)."], ["Two."]]), "a.pdf") == "One (1).\n\nTwo."


def test_the_lines_of_a_pdf_paragraph_are_joined() -> None:
    lines = ["Chapter 1", "The captain of the ship came to the har-", "bour in the morning, and with him all of", "us."]
    text = "Chapter 1\nThe captain of the ship came to the harbour in the morning, and with him all of us."
    assert document_text(pdf_of([lines]), "a.pdf") == text


def test_a_word_document_keeps_its_paragraphs_and_table_rows() -> None:
    data = word_of("The ship.", "It is old.", table=[["Mast", "Height"], ["Main", "30 m"]])
    assert document_text(data, "a.docx") == "The ship.\n\nIt is old.\nMast | Height\nMain | 30 m"


def test_a_web_page_is_read_without_scripts_styles_and_navigation() -> None:
    text = "Ships & sails\n\nThe ship\n\nIt is very old.\n\nBuilt in 1912.\nRepaired twice.\n\n"
    assert document_text(PAGE.encode(), "a.html") == text + "Mast | Height\nMain | 30 m"


@pytest.mark.parametrize("tag", ["nav", "button"])
def test_the_content_after_an_unclosed_menu_is_read(tag: str) -> None:
    page = f"<html><{tag}>Menu<main><p>Old.<nav>Home</nav><p>New.</main><p>More.</{tag}><nav>Menu</nav></html>"
    assert document_text(page.encode(), "a.html") == "Old.\n\nNew.\n\nMore."


def test_the_encoding_that_a_web_page_declares_is_used() -> None:
    assert document_text('<html><meta charset="shift_jis"><p>日本語'.encode("shift_jis"), "a.html") == "日本語"


def test_each_value_of_a_csv_table_is_read_with_its_heading() -> None:
    assert (
        document_text(b"city;people\nRome;2,8\nOslo;0,7\n", "a.csv")
        == "city: Rome; people: 2,8\ncity: Oslo; people: 0,7"
    )


def test_a_csv_table_without_headings_keeps_its_first_row() -> None:
    assert document_text(b"1,2\n3,4\n", "a.csv") == "1; 2\n3; 4"


@pytest.mark.parametrize(
    ("data", "text"), [(pdf_of([["One."]]), "One."), (word_of("One."), "One."), (PAGE.encode(), "Ships & sails")]
)
def test_the_format_is_detected_from_the_content_and_not_from_the_name(data: bytes, text: str) -> None:
    assert document_text(data, "notes.txt").startswith(text)


def test_a_book_of_a_hundred_pages_is_read_completely() -> None:
    text = document_text(book(sentence="The keeper is Marta."), "book.pdf")
    assert text.count("Chapter") == 100
    assert len(text) > 250_000
    assert "The keeper is Marta." in text


def test_an_encrypted_pdf_is_refused_unless_its_password_is_empty() -> None:
    def encrypted(password: str) -> bytes:
        writer, file = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_of([["One."]])))), io.BytesIO()
        writer.encrypt(password, "owner", algorithm="RC4-128")
        writer.write(file)
        return file.getvalue()

    assert "password" in refusal(encrypted("secret"), "a.pdf")
    assert document_text(encrypted(""), "a.pdf") == "One."


def test_a_scanned_pdf_is_refused_as_pictures_of_pages() -> None:
    assert "only pictures of pages" in refusal(pdf_of([[], []]), "scan.pdf")


@pytest.mark.parametrize("data", [pdf_of([["One."]])[:60], word_of("One.")[:3000], b"PK\x03\x04"])
def test_a_damaged_document_is_refused_with_a_message(data: bytes) -> None:
    assert "can't be read; it may be damaged" in refusal(data, "a.csv")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old or a locked Office file"),
    ],
)
def test_the_error_says_why_a_file_is_not_a_document(data: bytes, sentence: str) -> None:
    assert sentence in refusal(data, "a.doc")


def test_a_zip_file_without_a_document_is_refused() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("readme.txt", "Hello")
    assert "without a document in it" in refusal(archive.getvalue(), "a.zip")


def test_a_document_with_a_very_large_unpacked_size_is_not_unpacked() -> None:
    archive = bytearray(word_of("One."))
    declare_size(archive, 2 * 10**9)
    assert "unpacks to more" in refusal(bytes(archive), "a.docx")


def test_unpacking_stops_at_the_declared_size() -> None:
    archive = bytearray(word_of("One.", "Two " * 100_000))
    declare_size(archive, 2000)
    assert "may be damaged" in refusal(bytes(archive), "a.docx")


def declare_size(archive: bytearray, size: int) -> None:
    """Change the ZIP directory of a Word document: its text unpacks to `size` bytes."""
    entry = archive.rindex(b"PK\x01\x02", 0, archive.rindex(b"word/document.xml"))
    struct.pack_into("<I", archive, entry + 24, size)


def with_entities(declared: str, text: str) -> bytes:
    """Return a Word document that declares entities and uses them in its text."""
    data = edit_xml(word_of("One."), lambda xml: xml.replace("<w:document", f"<!DOCTYPE d [{declared}]><w:document", 1))
    return edit_xml(data, lambda xml: xml.replace("One.", f"One.{text}"))


def test_a_word_document_cannot_include_other_files(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    secret = f'<!ENTITY a SYSTEM "{(tmp_path / "secret.txt").as_uri()}">'
    assert document_text(with_entities(secret, "&a;"), "a.docx") == "One."


def test_a_word_document_with_nested_entities_is_refused() -> None:
    laughs = "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(12))
    assert "may be damaged" in refusal(with_entities('<!ENTITY a0 "ha">' + laughs, "&a12;"), "a.docx")


def test_a_tab_in_the_text_is_read_and_tab_stops_are_not() -> None:
    data = word_of("One\ttwo.")
    stops = "<w:p><w:pPr><w:tabs><w:tab/><w:tab/></w:tabs></w:pPr>"
    assert document_text(edit_xml(data, lambda xml: xml.replace("<w:p>", stops)), "a.docx") == "One\ttwo."


def test_compatibility_fallback_text_is_not_read() -> None:
    fallback = '<m:Fallback xmlns:m="http://schemas.openxmlformats.org/markup-compatibility/2006">'
    data = edit_xml(word_of("One.", "Two."), lambda xml: xml.replace("<w:p>", f"{fallback}<w:p>", 1))
    data = edit_xml(data, lambda xml: xml.replace("</w:p>", "</w:p></m:Fallback>", 1))
    assert document_text(data, "a.docx") == "Two."


def edit_xml(data: bytes, change: Callable[[str], str]) -> bytes:
    """Return the Word document with its XML changed."""
    archive = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(archive, "w") as new:
        new.writestr("word/document.xml", change(old.read("word/document.xml").decode()))
    return archive.getvalue()


def test_a_pdf_page_with_too_many_drawing_operators_is_skipped() -> None:
    assert document_text(pdf_of([["One."] * 101_000, ["Two."]]), "a.pdf") == "Two."


def test_a_text_that_mentions_the_pdf_header_is_read_as_text() -> None:
    assert document_text(b"A PDF begins with %PDF-1.4.", "a.txt") == "A PDF begins with %PDF-1.4."


@pytest.mark.parametrize("data", [book(3), b"word " * 500, word_of("word " * 500), b"<html>" + b"word " * 500])
def test_reading_stops_at_the_character_limit(data: bytes) -> None:
    assert "more than 2,000 characters" in refusal(data, "a.txt", max_characters=2000)


@pytest.mark.parametrize("data", [pdf_of([["One."]]), word_of("One."), PAGE.encode(), b"a,b\n1,2\n"])
def test_reading_stops_at_the_time_limit(data: bytes) -> None:
    assert "takes too long" in refusal(data, "a.csv", max_seconds=-1)


def test_a_web_page_after_many_comments_is_recognised() -> None:
    assert document_text(b"<!-- a -->" * 300 + PAGE.encode(), "a.txt").startswith("Ships & sails")
    assert document_text(b"<!-- a -->" * 300 + b"x", "a.md").startswith("<!-- a -->")


@pytest.mark.parametrize("part", ["<a ", "<!--", "<div>", "<nav>x", "<a b='", "&", "</", "<?xml "])
def test_a_web_page_of_only_broken_tags_is_refused(part: str) -> None:
    assert "a.html" in refusal((part * 200_000).encode(), "a.html", max_characters=100_000)


@pytest.mark.parametrize(
    "part", ["charset", "charset = ", " ", "<!---->", "-\n", "a-\n", "1", "1,", "1 %", "\n\n", ","]
)
@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.csv"])
def test_a_repeated_pattern_is_processed_in_time(part: str, name: str) -> None:
    text = document_text((part * 10_000 + "\n\nEnd.").encode(), name)
    assert text.endswith("End.")


@pytest.mark.parametrize("line", ["-", "a-", ". ", " "])
def test_a_pdf_with_many_equal_lines_is_read(line: str) -> None:
    assert document_text(pdf_of([[line] * 5000, ["End."]]), "a.pdf").endswith("End.")
