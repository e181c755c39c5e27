"""Test that Word files are read whoever wrote them, and that each text in them is read once."""

from __future__ import annotations

import pytest

from inference import InvalidRequest, document_text
from tests.inference.documents.sample_documents import STRICT, package_of, relationships, word_package, word_paragraph

STRICT_WORD = f"{STRICT}/wordprocessingml/main"
BODY = word_paragraph("The mill.") + word_paragraph("It is old.")


def text_of(body: str, **others: str) -> str:
    return document_text(word_package(body, **others), "a.docx")


@pytest.mark.parametrize(
    "part", ["word/document.xml", "word/document2.xml", "main.xml", "Word/Document.XML", "a/b/ä.xml"]
)
def test_the_main_part_may_have_any_name(part: str) -> None:
    assert document_text(word_package(BODY, part), "a.docx") == "The mill.\n\nIt is old."


def test_strict_files_are_read() -> None:
    data = word_package(BODY, namespace=STRICT_WORD, footnotes=f"<w:footnote>{word_paragraph('A note.')}</w:footnote>")
    assert document_text(data, "a.docx") == "The mill.\n\nIt is old.\n\nA note."


@pytest.mark.parametrize(
    "target", ["/text/main.xml", "./text/../text/main.xml", "a\\..\\text\\main.xml", "text/%6Dain.xml", "TEXT/Main.xml"]
)
def test_a_part_is_found_however_its_name_is_written(target: str) -> None:
    parts = {
        "_rels/.rels": relationships(("officeDocument", target)),
        "text/main.xml": f'<w:document xmlns:w="{STRICT_WORD}"><w:body>{BODY}</w:body></w:document>',
    }
    assert document_text(package_of(parts), "a.docx") == "The mill.\n\nIt is old."


@pytest.mark.parametrize("table", ["<a/>", "<broken", "<Relationships/>"])
def test_a_file_that_lost_the_table_of_its_parts_is_read(table: str) -> None:
    document = f'<w:document xmlns:w="{STRICT_WORD}"><w:body>{BODY}</w:body></w:document>'
    data = package_of({"_rels/.rels": table, "word/document.xml": document})
    assert document_text(data, "a.docx") == "The mill.\n\nIt is old."


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


def test_moved_text_is_read_once_where_it_was_moved_to() -> None:
    body = (
        f"<w:p><w:moveFrom>{run('Noon.')}</w:moveFrom></w:p>{word_paragraph('Between.')}"
        f"<w:p><w:moveTo>{run('Noon.')}</w:moveTo></w:p>"
    )
    assert text_of(body) == "Between.\n\nNoon."


def test_deleted_text_is_not_read_and_inserted_text_is() -> None:
    deleted = "<w:del><w:r><w:delText>old</w:delText></w:r><w:r><w:t>older</w:t></w:r></w:del>"
    assert text_of(f"<w:p>{run('A ')}{deleted}<w:ins>{run('new')}</w:ins>{run(' mill.')}</w:p>") == "A new mill."


def test_hidden_text_is_not_read() -> None:
    hidden = run("secret", "<w:vanish/>") + run("secret", '<w:b/><w:vanish w:val="1"/><w:vanish/>')
    shown = run(" mill.", '<w:vanish w:val="0"/>')
    assert text_of(f"<w:p>{run('A')}{hidden}{shown}</w:p>") == "A mill."


def test_a_hidden_paragraph_mark_hides_no_text() -> None:
    assert text_of(f"<w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>{run('A mill.')}</w:p>") == "A mill."


def test_how_letters_are_pronounced_is_not_read() -> None:
    ruby = f"<w:ruby><w:rt>{run('すいしゃ')}</w:rt><w:rubyBase>{run('水車')}</w:rubyBase></w:ruby>"
    assert text_of(f"<w:p><w:r>{ruby}</w:r>{run('は')}</w:p>") == "水車は"


def test_footnotes_and_endnotes_are_read_after_the_text() -> None:
    separator = f'<w:footnote w:type="separator" w:id="0">{word_paragraph("-----")}</w:footnote>'
    footnotes = separator + f'<w:footnote w:id="2">{word_paragraph("The key.")}</w:footnote>'
    endnotes = f"<w:endnote>{word_paragraph('The lock.')}</w:endnote>"
    assert text_of(BODY, footnotes=footnotes, endnotes=endnotes) == "The mill.\n\nIt is old.\n\nThe key.\n\nThe lock."


def test_notes_beside_a_renamed_main_part_are_read() -> None:
    note = f"<w:footnote>{word_paragraph('The key.')}</w:footnote>"
    assert document_text(word_package(BODY, "a/main.xml", footnotes=note), "a.docx").endswith("The key.")


def test_all_parts_together_are_unpacked_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.documents.packages._MAX_UNPACKED_BYTES", 3000)
    note = f"<w:footnote>{word_paragraph('x' * 1500)}</w:footnote>"
    assert document_text(word_package(BODY, footnotes=note), "a.docx")
    with pytest.raises(InvalidRequest, match="unpacks to more"):
        document_text(word_package(BODY, footnotes=note, endnotes=note.replace("footnote", "endnote")), "a.docx")


CHUNK = "<html><meta charset=windows-1251><p>Мельница <b>стоит</b>.<script>x</script></html>"


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.html", CHUNK.encode("cp1251"), "Мельница стоит."),
        ("a.mht", b"Content-Type: text/html; charset=windows-1251\n\n" + CHUNK.encode("cp1251"), "Мельница стоит."),
        ("a.rtf", rb"{\rtf1\ansi It is \b old\b0 .}", "It is old."),
        ("a.txt", b"It is old.", "It is old."),
        ("a.bin", bytes(range(256)), ""),
    ],
)
def test_a_document_inside_a_word_file_is_read(name: str, data: bytes, text: str) -> None:
    """Programs that turn a web page into a Word file leave the page as it is."""
    body = f"<w:body>{word_paragraph('A.')}</w:body>"
    parts = {
        "_rels/.rels": relationships(("officeDocument", "word/document.xml")),
        "word/document.xml": f'<w:document xmlns:w="{STRICT_WORD}">{body}</w:document>',
        "word/_rels/document.xml.rels": relationships(("aFChunk", name)),
        f"word/{name}": data,
    }
    assert document_text(package_of(parts), "a.docx") == f"A.\n\n{text}".strip()


@pytest.mark.parametrize(
    ("attributes", "letter"),
    [
        ('w:font="Symbol" w:char="F061"', "α"),
        ('w:font="Symbol" w:char="57"', "Ω"),
        ('w:font="Wingdings" w:char="F0FE"', "☑"),
        ('w:font="Segoe UI Symbol" w:char="2713"', "✓"),
        ('w:font="Wingdings" w:char="F021"', ""),
        ('w:font="Symbol" w:char="x"', ""),
        ("", ""),
    ],
)
def test_a_letter_of_a_symbol_font_is_read(attributes: str, letter: str) -> None:
    assert text_of(f"<w:p>{run('1')}<w:r><w:sym {attributes}/></w:r>{run('2')}</w:p>") == f"1{letter}2"
