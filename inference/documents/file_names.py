"""The names of files that are documents."""

from __future__ import annotations

_OFFICE = ".pdf .docx .docm .dotx .odt .ods .odp .pptx .ppsx .xlsx .xlsm .rtf .epub"
_PAGES = ".html .htm .xhtml .mhtml .mht .eml"
_TABLES = ".csv .tsv .tab"
_TEXTS = ".txt .text .md .markdown .rst .adoc .org .tex .bib .log .srt .vtt .ass .diff .patch .po .ics .vcf"
_DATA = ".json .jsonl .ndjson .yaml .yml .toml .xml .ini .cfg .conf .properties .sql"
_CODE = (
    ".py .pyi .js .mjs .cjs .jsx .ts .tsx .vue .svelte .css .scss .less .c .h .cc .cpp .cxx .hpp .cs .java .kt .kts "
    ".swift .m .go .rs .rb .php .pl .lua .r .jl .scala .dart .ex .exs .erl .hs .clj .sh .bash .zsh .fish .bat .ps1 "
    ".gd .nix .tf .gradle .cmake .asm .vb .f90 .pas"
)
SUFFIXES = tuple(f"{_OFFICE} {_PAGES} {_TABLES} {_TEXTS} {_DATA} {_CODE}".split())


def is_document_name(name: str) -> bool:
    """Return whether a file with this name is a document that `document_text` reads, as far as the name tells."""
    return name.lower().endswith(SUFFIXES)
