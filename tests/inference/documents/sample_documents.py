"""Minimal documents of several formats, as bytes."""

from __future__ import annotations

import io
import random
import zipfile
import zlib
from collections.abc import Mapping, Sequence

import docx

WORDS = [
    "the",
    "sea",
    "harbour",
    "captain",
    "ship",
    "storm",
    "lantern",
    "rope",
    "island",
    "letter",
    "winter",
    "morning",
    "answer",
    "village",
    "road",
    "quiet",
]


def pdf_of(pages: Sequence[Sequence[str]]) -> bytes:
    """Return a PDF with these lines on its pages, 72 points from the left edge."""
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for i, lines in enumerate(pages):
        shown = " ".join(f"({_escaped(line)}) Tj T*" for line in lines)
        content = f"BT /F1 11 Tf 14 TL 72 770 Td {shown} ET".encode("cp1252")
        fonts = "/Resources << /Font << /F1 3 0 R >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {fonts} /Contents {5 + 2 * i} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    return _file(objects)


def book(pages: int = 100, sentence: str = "", page: int = 56, lines: int = 45) -> bytes:
    """Return a PDF of random sentences, one on each line, with `sentence` on the page with index `page`.

    If there are fewer pages, `sentence` is on the last one.
    """
    rng = random.Random(0)

    def random_sentence() -> str:
        return " ".join(rng.choices(WORDS, k=11)).capitalize() + "."

    texts = [[f"Chapter {i + 1}", *(random_sentence() for _ in range(lines))] for i in range(pages)]
    texts[min(page, pages - 1)][20:20] = [sentence]
    return pdf_of(texts)


def slow_pdf() -> bytes:
    """Return a PDF of 27 kB that takes about a minute to read: all of its pages show the same 10,000 words."""
    pages = 200
    kids = " ".join(f"{5 + i} 0 R" for i in range(pages))
    content = b"BT /F1 11 Tf 14 TL 72 770 Td " + b"(x) Tj T* " * 10_000 + b"ET"
    page = b"<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents 4 0 R >>"
    return _file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            f"<< /Type /Pages /Kids [{kids}] /Count {pages} /MediaBox [0 0 595 842] >>".encode(),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            _compressed(content),
            *[page] * pages,
        ]
    )


def pdf_with_a_large_table() -> bytes:
    """Return a PDF of 6 kB whose table of objects has 1.9 million rows. It takes ten seconds, in one step, to read."""
    start = b"%PDF-1.5\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
    head = b"/Type /XRef /Root 1 0 R /Size 2000000 /W [1 1 1] /Index [100 1900000]"
    table = _compressed(b"\x01\0\0" * 1_900_000, head)
    return start + b"2 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, len(start))


def _compressed(content: bytes, head: bytes = b"") -> bytes:
    data = zlib.compress(content)
    return b"<< %s /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (head, len(data), data)


def word_of(*paragraphs: str, table: Sequence[Sequence[str]] = ()) -> bytes:
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    if table:
        grid = document.add_table(len(table), len(table[0]))
        for i, row in enumerate(table):
            for j, cell in enumerate(row):
                grid.cell(i, j).text = cell
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT = "http://purl.oclc.org/ooxml"


def package_of(parts: Mapping[str, str | bytes]) -> bytes:
    """Return a ZIP file with these parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def relationships(*entries: tuple[str, str], types: str = _RELATIONSHIPS) -> str:
    """Return a list of relationships from pairs of kind and target. The first has the id `r1`."""
    lines = "".join(
        f'<Relationship Id="r{i}" Type="{types}/{kind}" Target="{target}"/>'
        for i, (kind, target) in enumerate(entries, start=1)
    )
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{lines}</Relationships>'
    )


def word_package(body: str, part: str = "word/document.xml", namespace: str = _WORD, **others: str) -> bytes:
    """Return a Word file with this XML as its body. `others` are further parts beside it, such as `footnotes`."""
    folder, _, file = part.rpartition("/")
    types = _RELATIONSHIPS if namespace == _WORD else f"{STRICT}/officeDocument/relationships"
    parts = {
        "_rels/.rels": relationships(("officeDocument", part), types=types),
        part: f'<w:document xmlns:w="{namespace}"><w:body>{body}</w:body></w:document>',
        f"{folder}/_rels/{file}.rels": relationships(*((kind, f"{kind}.xml") for kind in others), types=types),
    }
    for kind, content in others.items():
        parts[f"{folder}/{kind}.xml"] = f'<w:{kind} xmlns:w="{namespace}">{content}</w:{kind}>'
    return package_of(parts)


def word_paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def pdf_with_annotations(*annotations: str, line: str = "", form: str = "") -> bytes:
    """Return a PDF of one page with these annotations. They are the objects from number 7 on."""
    content = f"BT /F1 11 Tf 72 770 Td ({_escaped(line)}) Tj ET".encode("cp1252") if line else b"q Q"
    numbers = " ".join(f"{7 + i} 0 R" for i in range(len(annotations)))
    return _file(
        [
            f"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{form or numbers}] >> >>".encode(),
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [{numbers} 99 0 R] "
            "/Resources << /Font << /F1 5 0 R >> >> >>".encode(),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            b"<< >>",
            *(annotation.encode("latin-1") for annotation in annotations),
        ]
    )


def pdf_with_packed_objects(line: str) -> bytes:
    """Return a PDF whose catalog and pages are packed into a stream, cut before the table that would say so."""
    packed = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>",
        "<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    starts = [sum(len(each) + 1 for each in packed[:i]) for i in range(len(packed))]
    index = " ".join(f"{number} {start}" for number, start in enumerate(starts, start=1))
    head = f"/Type /ObjStm /N {len(packed)} /First {len(index) + 1}".encode()
    objects = {
        5: _compressed(f"BT /F1 11 Tf 72 770 Td ({_escaped(line)}) Tj ET".encode()),
        6: _compressed(f"{index} {' '.join(packed)}".encode(), head),
    }
    return b"%PDF-1.5\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % each for each in objects.items())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _file(objects: Sequence[bytes]) -> bytes:
    data, offsets = bytearray(b"%PDF-1.4\n"), list[int]()
    for number, content in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    header = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(data))
    return bytes(data + header + table + trailer)
