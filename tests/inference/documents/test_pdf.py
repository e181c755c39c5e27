"""Test that what people wrote into a PDF is read, and that a PDF whose end is lost is read."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader, PdfWriter

from inference import InvalidRequest, document_text
from tests.inference.documents.sample_documents import pdf_of, pdf_with_annotations, pdf_with_packed_objects

FIELD = "/Type /Annot /Subtype /Widget /Rect [200 740 400 760]"


def text_of(*annotations: str, line: str = "The form.") -> str:
    return document_text(pdf_with_annotations(*annotations, line=line), "a.pdf")


def field(entries: str) -> str:
    return f"<< {FIELD} {entries} >>"


@pytest.mark.parametrize(
    ("entries", "read"),
    [
        ("/FT /Tx /T (name) /V (Anna Miller)", "name: Anna Miller"),
        ("/FT /Tx /T (f1) /TU (Your name) /V (Anna)", "Your name: Anna"),
        ("/FT /Tx /V (Anna)", "Anna"),
        ("/FT /Tx /T (name) /V <FEFF0141 00F30064017A>", "name: Łódź"),
        ("/FT /Btn /T (old) /V /Yes /AS /Yes", "old: Yes"),
        ("/FT /Ch /T (town) /V (r) /Opt [[(r) (Rome)] [(o) (Oslo)]]", "town: Rome"),
        ("/FT /Btn /Ff 32768 /T (town) /V /1 /AS /1 /Opt [(Rome) (Oslo)]", "town: Oslo"),
        ("/FT /Btn /Ff 32768 /T (town) /V /7 /AS /7 /Opt [(Rome) (Oslo)]", "town: 7"),
        ("/FT /Ch /T (town) /I [1 9] /Opt [(Rome) [(o) (Oslo)]]", "town: Oslo"),
        ("/FT /Ch /T (towns) /V [(Rome) (Oslo)] /Opt [(Rome) (Oslo)]", "towns: Rome, Oslo"),
    ],
)
def test_a_filled_field_is_read_with_its_name(entries: str, read: str) -> None:
    assert text_of(field(entries)) == f"The form.\n{read}"
    assert text_of(field(entries), line="") == read


@pytest.mark.parametrize(
    "entries",
    [
        "/FT /Tx /T (name)",
        "/FT /Tx /T (name) /V ()",
        "/FT /Tx /T (name) /V (Anna) /F 2",
        "/FT /Tx /T (word) /V (secret) /Ff 8192",
        "/FT /Btn /T (old) /V /Off /AS /Off",
        "/FT /Btn /T (old)",
        "/FT /Btn /Ff 65536 /T (send) /V /Send",
        "/FT /Sig /T (signature) /V << /Type /Sig /Contents <00> >>",
    ],
)
def test_empty_and_hidden_fields_are_not_read(entries: str) -> None:
    assert text_of(field(entries)) == "The form."


def test_a_field_has_the_name_and_the_value_of_its_group() -> None:
    group = "<< /FT /Tx /T (name) /V (Anna) /Kids [7 0 R] >>"
    assert text_of(field("/Parent 8 0 R"), group) == "The form.\nname: Anna"


def test_a_field_in_a_circle_of_groups_is_read() -> None:
    assert text_of(field("/FT /Tx /V (Anna) /Parent 8 0 R"), "<< /Parent 8 0 R >>") == "The form.\nAnna"


def test_a_field_shown_twice_on_a_page_is_read_once() -> None:
    assert text_of(*[field("/FT /Tx /T (name) /V (Anna)")] * 2) == "The form.\nname: Anna"


@pytest.mark.parametrize("kind", ["Text", "FreeText", "Highlight", "StrikeOut", "Stamp", "Ink"])
def test_notes_on_a_page_are_read(kind: str) -> None:
    note = f"<< /Type /Annot /Subtype /{kind} /Contents (Check this.) /Rect [0 0 9 9] >>"
    popup = "<< /Type /Annot /Subtype /Popup /Contents (Check this.) /Parent 7 0 R /Rect [0 0 9 9] >>"
    assert text_of(note, popup) == "The form.\nCheck this."


def test_a_link_is_no_note() -> None:
    assert text_of("<< /Type /Annot /Subtype /Link /Contents (Link) /Rect [0 0 9 9] >>") == "The form."


def test_a_page_with_nothing_but_an_empty_form_is_a_scan() -> None:
    with pytest.raises(InvalidRequest, match="only pictures of pages"):
        text_of(field("/FT /Tx /T (name)"), line="")


BOOK = pdf_of([["One."], ["Two."]])


@pytest.mark.parametrize("part", [b"%%EOF", b"startxref", b"trailer", b"xref\n", b"/Root", b"/Size"])
def test_a_pdf_that_was_cut_at_its_end_is_read(part: bytes) -> None:
    assert document_text(BOOK[: BOOK.rindex(part)], "a.pdf") == "One.\n\nTwo."


def test_a_pdf_with_packed_objects_that_was_cut_is_read() -> None:
    assert document_text(pdf_with_packed_objects("One."), "a.pdf") == "One."


@pytest.mark.parametrize("number", [b"startxref\n9", b"startxref\n99999999", b"startxref\nx", b"startxref\n-1"])
def test_a_wrong_position_of_the_table_is_no_obstacle(number: bytes) -> None:
    start = BOOK.rindex(b"startxref")
    assert document_text(BOOK[:start] + number + b"\n%%EOF\n", "a.pdf") == "One.\n\nTwo."


def test_what_a_program_wrote_around_a_pdf_is_no_obstacle() -> None:
    assert document_text(b"HTTP/1.1 200 OK\r\n\r\n" + BOOK, "a.pdf") == "One.\n\nTwo."
    assert document_text(BOOK + b"<html>an advertisement</html>" * 100, "a.pdf") == "One.\n\nTwo."
    assert document_text(BOOK + b"\0" * 5000, "a.pdf") == "One.\n\nTwo."


def test_line_ends_that_a_program_changed_are_no_obstacle() -> None:
    assert document_text(BOOK.replace(b"\n", b"\r\n"), "a.pdf") == "One.\n\nTwo."


def test_a_locked_pdf_that_was_cut_is_refused() -> None:
    writer, file = PdfWriter(clone_from=PdfReader(io.BytesIO(BOOK))), io.BytesIO()
    writer.encrypt("", "owner", algorithm="RC4-128")
    writer.write(file)
    data = file.getvalue()
    with pytest.raises(InvalidRequest, match="may be damaged"):
        document_text(data[: data.rindex(b"startxref")], "a.pdf")


def test_a_word_divided_by_a_soft_hyphen_at_the_end_of_a_line_is_joined() -> None:
    lines = ["The captain of the ship came to the har\N{SOFT HYPHEN}", "bour in the morning."]
    assert document_text(pdf_of([lines]), "a.pdf") == "The captain of the ship came to the harbour in the morning."
