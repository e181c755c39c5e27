"""Names for the files that people take for pictures, and that are not read here."""

from __future__ import annotations

from inference.types.errors import InvalidRequest

_SIGNATURES = {
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"8BPS": "Photoshop",
    b"gimp xcf": "GIMP",
    b"%PDF": "PDF",
    b"<svg": "SVG",
    b"\x00\x00\x01\x00": "ICO",
    b"\x1a\x45\xdf\xa3": "WebM",
}
"""How files of each format begin."""

_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC"),
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"crx ": "CR3",
}
"""Brands of the container that HEIC pictures and videos share."""


def unsupported_file(data: bytes) -> InvalidRequest:
    """Return the refusal of a file that is no picture of a format that is read; it names the format if it knows it."""
    if name := _format_name(data):
        return InvalidRequest(
            "This is a file of the format {format}, which the bot does not read. Save or export the picture as JPEG or "
            "PNG, and send that. (The bot reads PNG, JPEG, WebP, AVIF, GIF, BMP and TIFF.)",
            format=name,
        )
    return InvalidRequest(
        "This file is not a picture that the bot can read. Send a PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF file."
    )


def _format_name(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        # A damaged AVIF file is not named: its format is one that is read.
        name = _BRANDS.get(data[8:12], "MP4")
        return "" if name == "AVIF" else name
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<?xml") and b"<svg" in start:
        return "SVG"
    return next((name for signature, name in _SIGNATURES.items() if data.startswith(signature)), "")
