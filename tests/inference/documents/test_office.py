"""Test reading of OpenDocument, sheets, slides, books, rich text and mails."""

from __future__ import annotations

import base64
import io
import zipfile
from email.message import EmailMessage

import pytest

from inference import InvalidRequest, document_text
from inference.documents.packages import Package
from tests.inference.documents.sample_documents import package_of, relationships, word_of, word_package, word_paragraph

OFFICE, TEXT, TABLE, DRAW = (
    f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0" for name in ("office", "text", "table", "drawing")
)
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SLIDE = "http://schemas.openxmlformats.org/presentationml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
REFERENCE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def open_document(body: str) -> bytes:
    spaces = f'xmlns:office="{OFFICE}" xmlns:text="{TEXT}" xmlns:table="{TABLE}" xmlns:draw="{DRAW}"'
    content = f"<office:document-content {spaces}><office:body>{body}</office:body></office:document-content>"
    return package_of({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def test_an_open_document_keeps_its_paragraphs_and_table_rows() -> None:
    def cell(text: str) -> str:
        return f"<table:table-cell><text:p>{text}</text:p></table:table-cell>"

    rows = "".join(
        f"<table:table-row>{cell(a)}{cell(b)}</table:table-row>" for a, b in [("Mast", "Height"), ("Main", "30 m")]
    )
    body = (
        "<text:h>The ship</text:h>\n  <text:p>It  is<text:s text:c='2'/>very\n   <text:span>old</text:span>."
        f"<text:line-break/>Yes<text:tab/>no.</text:p><table:table>{rows}</table:table><text:p>End.</text:p>"
    )
    assert document_text(open_document(body), "a.odt") == (
        "The ship\n\nIt is  very old.\nYes\tno.\n\nMast | Height\nMain | 30 m\n\nEnd."
    )


def test_the_notes_of_an_open_document_come_last_and_its_comments_are_left_out() -> None:
    key = "<text:note-body><text:p>The key.</text:p></text:note-body>"
    note = f"<text:note><text:note-citation>1</text:note-citation>{key}</text:note>"
    comment = "<office:annotation><text:p>Really?</text:p></office:annotation>"
    deleted = "<text:tracked-changes><text:p>Old.</text:p></text:tracked-changes>"
    body = f"{deleted}<text:p>The mill{note} stands{comment}.</text:p><text:p>Still.</text:p>"
    assert document_text(open_document(body), "a.odt") == "The mill stands.\n\nStill.\n\nThe key."


def sheet_package(rows: str, styles: str = "", strings: str = "", book: str = "", state: str = "") -> bytes:
    sheets = f'<sheet name="Towns" sheetId="1" r:id="r1" state="{state}"/><sheet name="Rest" sheetId="2" r:id="r2"/>'
    spaces = f'xmlns="{SHEET}" xmlns:r="{REFERENCE}"'
    return package_of(
        {
            "_rels/.rels": relationships(("officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": f"<workbook {spaces}>{book}<sheets>{sheets}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": relationships(
                ("worksheet", "worksheets/a.xml"),
                ("worksheet", "worksheets/b.xml"),
                ("sharedStrings", "sharedStrings.xml"),
                ("styles", "styles.xml"),
            ),
            "xl/worksheets/a.xml": f'<worksheet xmlns="{SHEET}"><sheetData>{rows}</sheetData></worksheet>',
            "xl/worksheets/b.xml": f'<worksheet xmlns="{SHEET}"><sheetData/></worksheet>',
            "xl/sharedStrings.xml": f'<sst xmlns="{SHEET}">{strings}</sst>',
            "xl/styles.xml": f'<styleSheet xmlns="{SHEET}">{styles}</styleSheet>',
        }
    )


def test_each_value_of_a_sheet_is_read_with_its_heading() -> None:
    strings = "<si><t>city</t></si><si><r><t>peo</t></r><r><t>ple</t></r></si><si><t>Rome</t><rPh><t>x</t></rPh></si>"
    rows = (
        '<row><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>'
        '<row><c r="A2" t="s"><v>2</v></c><c r="C2"><v>2.8000000000000003</v></c></row><row/>'
        '<row><c t="inlineStr"><is><t>Oslo</t></is></c><c t="b"><v>1</v></c><c t="str"><f>A1</f><v>few</v></c></row>'
    )
    assert document_text(sheet_package(rows, strings=strings), "a.xlsx") == (
        "Towns\n\ncity: Rome; people: 2.8\ncity: Oslo; TRUE; people: few\n\nRest"
    )


@pytest.mark.parametrize(
    ("style", "value", "shown"),
    [
        (0, "43586", "43586"),
        (1, "43586", "2019-05-01"),
        (1, "43586.5625", "2019-05-01 13:30"),
        (2, "0.5625", "13:30"),
        (3, "0.125", "12.5%"),
        (4, "43586", "2019-05-01"),
        (5, "43586", "43586"),
        (99, "0.1", "0.1"),
    ],
)
def test_a_number_in_a_sheet_is_read_as_it_is_shown(style: int, value: str, shown: str) -> None:
    formats = """<numFmts><numFmt numFmtId="170" formatCode="dd\\.mm\\.yyyy"/>
        <numFmt numFmtId="171" formatCode="#,##0.00 &quot;days&quot;"/></numFmts>"""
    ids = (0, 14, 21, 10, 170, 171)
    styles = formats + "<cellXfs>" + "".join(f'<xf numFmtId="{number}"/>' for number in ids) + "</cellXfs>"
    rows = f'<row><c s="{style}"><v>{value}</v></c></row>'
    assert document_text(sheet_package(rows, styles), "a.xlsx") == f"Towns\n\n{shown}\n\nRest"


def test_the_dates_of_an_old_mac_begin_in_1904() -> None:
    book, styles = '<workbookPr date1904="1"/>', '<cellXfs><xf numFmtId="14"/></cellXfs>'
    rows = '<row><c s="0"><v>42124</v></c></row>'
    assert "2019-05-01" in document_text(sheet_package(rows, styles, book=book), "a.xlsx")


def test_a_sheet_without_styles_and_shared_strings_is_read() -> None:
    parts = {"xl/sharedStrings.xml", "xl/styles.xml"}
    with zipfile.ZipFile(io.BytesIO(sheet_package('<row><c s="1"><v>7</v></c></row>'))) as archive:
        data = package_of({name: archive.read(name) for name in archive.namelist() if name not in parts})
    assert document_text(data, "a.xlsx") == "Towns\n\n7\n\nRest"


def test_a_hidden_sheet_is_not_read() -> None:
    rows = '<row><c t="str"><v>secret</v></c></row>'
    assert document_text(sheet_package(rows, state="hidden"), "a.xlsx") == "Rest"


def slides_package(*slides: str, order: tuple[int, ...] = (1, 2), notes: str = "") -> bytes:
    spaces = f'xmlns:p="{SLIDE}" xmlns:a="{DRAWING}" xmlns:r="{REFERENCE}"'
    ids = "".join(f'<p:sldId id="{256 + i}" r:id="r{i}"/>' for i in order)
    parts = {
        "_rels/.rels": relationships(("officeDocument", "ppt/presentation.xml")),
        "ppt/presentation.xml": f"<p:presentation {spaces}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": relationships(*(("slide", f"slides/s{i}.xml") for i in range(len(slides)))),
        "ppt/slides/_rels/s0.xml.rels": relationships(("notesSlide", "../notes/n.xml")),
        "ppt/notes/n.xml": f"<p:notes {spaces}>{notes}</p:notes>",
    }
    parts |= {f"ppt/slides/s{i}.xml": slide.replace("<p:sld", f"<p:sld {spaces}", 1) for i, slide in enumerate(slides)}
    return package_of(parts)


def shape(*paragraphs: str) -> str:
    lines = "".join(f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>" for text in paragraphs)
    return f"<p:sp><p:txBody>{lines}</p:txBody></p:sp>"


def test_slides_are_read_in_their_order_with_what_is_said_to_them() -> None:
    number = '<p:sp><p:txBody><a:p><a:fld type="slidenum"><a:t>7</a:t></a:fld></a:p></p:txBody></p:sp>'
    first = f"<p:sld>{shape('The mill')}{shape('It is old.', 'It stands.')}{number}</p:sld>"
    second = f"<p:sld>{shape('The end')}</p:sld>"
    data = slides_package(first, second, order=(2, 1), notes=shape("Say hello.") + number)
    assert document_text(data, "a.pptx") == "The end\n\nThe mill\n\nIt is old.\nIt stands.\n\nSay hello."


def test_a_table_on_a_slide_has_one_line_for_each_row() -> None:
    def cell(*texts: str) -> str:
        return (
            "<a:tc><a:txBody>"
            + "".join(f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>" for text in texts)
            + "</a:txBody></a:tc>"
        )

    table = f"<a:tbl><a:tr>{cell('Mast')}{cell('Height')}</a:tr><a:tr>{cell('Main')}{cell('30', 'm')}</a:tr></a:tbl>"
    assert document_text(slides_package(f"<p:sld>{table}</p:sld>"), "a.pptx") == "Mast | Height\nMain | 30 m"


def test_a_hidden_slide_is_not_read() -> None:
    hidden = f'<p:sld show="0">{shape("Secret")}</p:sld>'
    assert document_text(slides_package(hidden, f"<p:sld>{shape('Shown')}</p:sld>"), "a.pptx") == "Shown"


def test_a_slide_that_is_listed_many_times_is_read_once() -> None:
    slides = [f"<p:sld>{shape(text)}</p:sld>" for text in ("One", "Two")]
    assert document_text(slides_package(*slides, order=(2, 1, 2) * 500), "a.pptx") == "Two\n\nOne"


def repacked(data: bytes, method: int) -> bytes:
    """Return a ZIP file with the same parts, packed in another way."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return file.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_no_part_is_unpacked_that_is_packed_as_in_no_document(method: int) -> None:
    file = repacked(package_of({"a.xml": "<a/>"}), method)
    package = Package(file, "a.docx")
    for read in (package.read, package.tree, lambda part: package.root(part, lambda: None)):
        with pytest.raises(zipfile.BadZipFile, match="packed in a way"):
            read("a.xml")


def test_the_outermost_element_is_looked_for_at_the_beginning_of_a_part() -> None:
    data = {"near.xml": "<a b='c'>" + " " * 10**6, "far.xml": f"<!--{' ' * 2**16}--><a/>"}
    package, checks = Package(package_of(data), "a.docx"), list[None]()
    for _ in range(50):
        assert package.root("near.xml", lambda: checks.append(None)).attrib == {"b": "c"}
    assert len(checks) == 50
    with pytest.raises(zipfile.BadZipFile, match="does not begin"):
        package.root("far.xml", lambda: None)


def test_what_is_read_of_outermost_elements_counts_as_unpacked() -> None:
    package = Package(package_of({"a.xml": "<a>" + " " * 2**16}), "a.docx")
    for _ in range(10**8 // 2**16):
        package.root("a.xml", lambda: None)
    with pytest.raises(InvalidRequest, match="unpacks to more"):
        package.root("a.xml", lambda: None)


def test_the_pages_of_a_book_are_read_in_the_order_of_reading() -> None:
    items = (
        '<item id="b" href="text/two.xhtml" media-type="application/xhtml+xml"/><item id="a" href="text/one%20a.xhtml" '
        'media-type="application/xhtml+xml"/><item id="n" href="nav.xhtml" properties="nav"/><item id="c" href="c.png" '
        'media-type="image/png"/>'
    )
    spine = "".join(f'<itemref idref="{key}"/>' for key in ("n", "a", "b", "c", "missing"))
    data = package_of(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfile full-path="OPS/book.opf"/></container>',
            "OPS/book.opf": f"<package><manifest>{items}</manifest><spine>{spine}</spine></package>",
            "OPS/text/one a.xhtml": "<html><body><h1>One</h1><p>The sea &amp; storm.</p></body></html>",
            "OPS/text/two.xhtml": '<?xml version="1.0" encoding="koi8-r"?><html><p>Да.</p></html>'.encode("koi8-r"),
            "OPS/nav.xhtml": "<html><p>Contents</p></html>",
            "OPS/c.png": b"\x89PNG",
        }
    )
    assert document_text(data, "a.epub") == "One\n\nThe sea & storm.\n\nДа."


@pytest.mark.parametrize(
    ("rtf", "text"),
    [
        (r"{\rtf1\ansi The \b mill\b0.\par It is old.}", "The mill.\n\nIt is old."),
        (r"{\rtf1\ansi\ansicpg1251 \'cc\'e5\'eb\'fc\'ed\'e8\'f6\'e0}", "Мельница"),
        (r"{\rtf1{\fonttbl{\f0 Arial;}{\f1\fcharset204 Arial;}}\f0 caf\'e9 {\f1 \'c4\'e0} \'e9}", "café Да é"),
        (r"{\rtf1{\fonttbl{\f0\fcharset128 X;}}\f0\'90\'85\'8e\'d4}", "水車"),
        (r"{\rtf1\uc1 \u27700?\u-28846\'3f \uc0\u233 !}", "水轒 é!"),
        (r"{\rtf1 \u-10179?\u-8704?}", "😀"),
        (r"{\rtf1{\*\unknown secret}{\info{\title T}}{\pict\bin2 {{} x}", "x"),
        (r"{\rtf1 a{\v secret}b\~c\_d\-e\{\}\\\emdash f}", "ab c-de{}\\—f"),
        (r"{\rtf1\trowd\cell Mast\cell Height\cell\row Main\cell 30 m\cell\row}", "| Mast | Height | \nMain | 30 m |"),
        (r"{\rtf1 The mill{\footnote The key.} stands.", "The mill stands.\n\nThe key."),
        ("{\\rtf1 one\r\ntwo\\\nthree\\", "onetwo\n\nthree"),
    ],
)
def test_rich_text_is_read(rtf: str, text: str) -> None:
    assert document_text(rtf.encode("latin-1"), "a.rtf") == text


def test_a_letter_of_two_codes_is_whole_wherever_the_reader_yields() -> None:
    rtf = r"{\rtf1 " + r"\u-10179?\u-8704?" * 1001
    for filling in ("", "x", "xx", "xxx"):
        text = document_text(f"{rtf} {filling} {rtf[7:]}".encode(), "a.rtf")
        assert text == f"{'😀' * 1001} {filling} {'😀' * 1001}"


def mail(html: str = "", **headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in ({"From": "Anna Müller <a@example.org>", "Subject": "Mühle"} | headers).items():
        message[name] = value
    message.set_content("The mill is old.\n")
    if html:
        message.add_alternative(html, subtype="html")
    return message


def test_a_mail_is_read_with_its_headers_and_the_names_of_its_files() -> None:
    message = mail(html="<p>Not read twice.</p>", To="b@example.org")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="plan.pdf")
    assert document_text(message.as_bytes(), "a.eml") == (
        "From: Anna Müller <a@example.org>\nTo: b@example.org\nSubject: Mühle\n\nThe mill is old.\n\n(plan.pdf)"
    )


def test_a_forwarded_mail_is_read() -> None:
    message = mail(Subject="Fwd")
    message.add_attachment(mail())
    assert document_text(message.as_bytes(), "a.eml").endswith("Subject: Mühle\n\nThe mill is old.")


def test_a_mail_that_is_a_page_is_read_in_its_encoding() -> None:
    head = b"Subject: =?koi8-r?B?5ME=?=\nContent-Type: text/html; charset=x-cp1251\nContent-Transfer-Encoding: 8bit\n\n"
    text = document_text(head + "<p>Мельница <b>стоит</b>.<script>x</script>".encode("cp1251"), "a.eml")
    assert text == "Subject: Да\n\nМельница стоит."


def word(text: str, encoding: str, label: str) -> str:
    """Return a text as an encoded word of a header."""
    return f"=?{label}?B?{base64.b64encode(text.encode(encoding)).decode()}?="


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (word("안녕", "cp949", "windows-949"), "안녕"),
        (word("朱镕基", "gb18030", "gb2312"), "朱镕基"),  # the second letter is not in GB 2312
        (word("①水車", "cp932", "x-sjis"), "①水車"),
        ("=?gb2312?B?1uzp?=\n =?gb2312?B?RrvY?= Re", "朱镕回 Re"),  # divided within a letter
        ("=?iso-8859-1*de?q?M=FChle_?= =?utf-8?q?=E2=82=AC?= x", "Mühle € x"),
        (word("x", "utf-8", "klingon"), "x"),
        ("=?utf-8?b?!?= x", "=?utf-8?b?!?= x"),
    ],
)
def test_a_header_is_read_whatever_it_calls_its_encoding(header: str, text: str) -> None:
    assert document_text(f"Subject: {header}\n\nIt is old.".encode(), "a.eml") == f"Subject: {text}\n\nIt is old."


@pytest.mark.parametrize("label", ["windows-1251", "unknown-8bit"])
def test_a_header_with_bare_bytes_is_read_in_their_encoding(label: str) -> None:
    mail = f"Subject: Мельница на реке\nContent-Type: text/plain; charset={label}\n\nОна стоит на реке."
    assert document_text(mail.encode("cp1251"), "a.eml") == "Subject: Мельница на реке\n\nОна стоит на реке."


@pytest.mark.parametrize("header", ["From: <a@", "From: =?klingon?Q?x?=", "Date: yesterday", 'To: "a" <b> c:;,,<'])
def test_a_broken_header_is_no_obstacle(header: str) -> None:
    assert document_text(f"{header}\nSubject: Mill\n\nIt is old.".encode(), "a.eml").endswith(
        "Subject: Mill\n\nIt is old."
    )


def test_a_page_saved_as_one_file_is_read() -> None:
    page = EmailMessage()
    page["Subject"] = "The mill"
    page.set_content("<html><p>It is <b>old</b>.", subtype="html")
    page.make_related()
    page.add_related(b"\x89PNG", maintype="image", subtype="png", filename="a.png")
    assert document_text(page.as_bytes(), "a.mhtml") == "Subject: The mill\n\nIt is old."


def test_office_files_are_recognised_by_their_content() -> None:
    assert document_text(word_of("The mill."), "a.xlsx") == "The mill."
    assert document_text(rb"{\rtf1 The mill.}", "a.doc") == "The mill."
    assert document_text(open_document("<text:p>The mill.</text:p>"), "a.docx") == "The mill."


@pytest.mark.parametrize(
    "data", [open_document("<text:p>" + "x" * 3000), word_package(word_paragraph("x" * 3000)[:-9])]
)
def test_a_part_that_ends_too_soon_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="may be damaged"):
        document_text(data, "a.odt")


@pytest.mark.parametrize("part", ["{", r"{\b", r"\u1?", r"{\*", r"\'e9", r"\bin1 ", "}", "\\"])
def test_many_rich_text_codes_are_read_in_time(part: str) -> None:
    data = rb"{\rtf1 Start. " + part.encode() * 50_000
    assert document_text(data, "a.rtf").startswith("Start.")
