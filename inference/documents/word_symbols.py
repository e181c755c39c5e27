"""Letters that Word writes as a number in a font of symbols."""

from __future__ import annotations

from collections.abc import Mapping

_PRIVATE_AREA = 0xF000
"""Word adds this to the numbers of fonts that have no letters."""
_SYMBOL = {
    **dict(zip(range(0x41, 0x5B), "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", strict=True)),
    **dict(zip(range(0x61, 0x7B), "αβχδεφγηιϕκλμνοπθρστυϖωξψζ", strict=True)),
    **{0x2D: "−", 0xA3: "≤", 0xA5: "∞", 0xAE: "→", 0xB0: "°", 0xB1: "±", 0xB3: "≥", 0xB4: "×", 0xB6: "∂", 0xB7: "•"},
    **{0xB8: "÷", 0xB9: "≠", 0xBA: "≡", 0xBB: "≈", 0xCE: "∈", 0xD1: "∇", 0xD6: "√", 0xD7: "⋅", 0xE5: "∑", 0xF2: "∫"},
}
_WINGDINGS = {
    **{0x4A: "☺", 0x6F: "☐", 0x6E: "■", 0xA7: "▪", 0xA8: "☐", 0xE0: "→", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑"},
}
_FONTS = {"symbol": _SYMBOL, "wingdings": _WINGDINGS}


def symbol(attributes: Mapping[str, str]) -> str:
    """Return the letter of a `sym` element with these attributes; empty if it is not known."""
    try:
        number = int(attributes.get("char", ""), 16)
    except ValueError:
        return ""
    letters = _FONTS.get(attributes.get("font", "").lower())
    if letters is not None:
        return letters.get(number - _PRIVATE_AREA if number >= _PRIVATE_AREA else number, "")
    return chr(number) if 0x20 <= number < 0xD800 else ""
