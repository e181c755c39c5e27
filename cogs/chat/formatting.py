"""What chat models write, as Discord can show it: their markdown stays, tables and formulas become readable.

Nothing that they write pings, links or unfurls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Change = Callable[[str], str]

_FENCE = re.compile(r"^[ \t]*(?P<mark>```|~~~)[^\n]*\n(?:.*?^[ \t]*(?P=mark)[ \t]*$|.*\Z)", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)[^`\n]+\1")
_TABLE = re.compile(r"(?:^[ \t]*\|.+\|[ \t]*(?:\n|\Z)){2,}", re.MULTILINE)
_RULE = re.compile(r"[\s|:-]+")
_FORMULA = re.compile(
    r"\\\[(?P<a>.+?)\\\]|\$\$(?P<b>.+?)\$\$|\\\((?P<c>.+?)\\\)|(?<![\\$\w])\$(?P<d>[^\s$](?:[^$\n]*[^\s$])?)\$(?![\w$])",
    re.DOTALL,
)
_UNSAFE = re.compile(
    r"<(?=[@#:/]|a:|t:|id:|https?:)"  # mentions, emoji, commands, times, pages, links
    r"|\[(?=[^\]\n]*\]\()"  # masked links
    r"|:(?=//)"  # links
    r"|(?<=discord\.gg)/|(?<=discord\.com)/|(?<=discordapp\.com)/"  # invitations
    r"|^-(?=#\s)",  # small print, which is for the bot's own notes
    re.IGNORECASE | re.MULTILINE,
)
_EVERYONE = re.compile(r"@(?=everyone|here)")

_SYMBOLS = {
    "cdot": "·", "times": "×", "div": "÷", "pm": "±", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠",
    "neq": "≠", "approx": "≈", "infty": "∞", "to": "→", "rightarrow": "→", "Rightarrow": "⇒", "in": "∈", "sum": "∑",
    "prod": "∏", "int": "∫", "partial": "∂", "nabla": "∇", "ldots": "…", "dots": "…", "cdots": "⋯", "degree": "°",
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "theta": "θ", "lambda": "λ", "mu": "μ",
    "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "omega": "ω", "Delta": "Δ", "Sigma": "Σ", "Omega": "Ω",
    "quad": " ", "left": "", "right": "", "displaystyle": "",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_SUBSCRIPTS = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_GROUP = r"\{((?:[^{}]|\{[^{}]*\})*)\}"


def readable(text: str) -> str:
    """Return the text with its markdown, escaped where it would ping or link; an open code block is closed."""
    return _outside(_FENCE, text, _block, lambda prose: _outside(_TABLE, prose, _table, _prose))


def _outside(pattern: re.Pattern[str], text: str, inside: Change, outside: Change) -> str:
    """Change the matches of `pattern` by `inside`, and the text between them by `outside`."""
    pieces: list[str] = []
    end = 0
    for match in pattern.finditer(text):
        pieces += [outside(text[end : match.start()]), inside(match[0])]
        end = match.end()
    return "".join([*pieces, outside(text[end:])])


def _block(block: str) -> str:
    first, _, rest = block.strip().partition("\n")
    code = re.sub(r"\n?[ \t]*(?:```|~~~)[ \t]*\Z", "", rest)
    language = re.sub(r"[^\w+.#-]", "", first.strip("`~ ").split(" ")[0])[:30]
    code = code.replace("```", "`\u200b``")
    return f"```{language}\n{code}\n```" if code.strip() else ""


def _table(table: str) -> str:
    """Return the table with columns of equal width, in a code block; other lines between bars stay as they are."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.strip().split("\n")]
    if not _RULE.fullmatch(table.strip().split("\n")[1]):
        return _prose(table)
    del rows[1]
    widths = [max(map(len, column)) for column in zip(*_padded(rows), strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in _padded(rows)]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "```\n" + "\n".join(line.rstrip().replace("`", "'") for line in lines) + "\n```\n"


def _padded(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    most = max(map(len, rows))
    return [[*row, *[""] * (most - len(row))] for row in rows]


def _prose(text: str) -> str:
    return _outside(_CODE, text, lambda code: code, lambda rest: _outside(_FORMULA, rest, _formula, _escaped))


def _escaped(text: str) -> str:
    return _EVERYONE.sub("\\\\@\u200b", _UNSAFE.sub(r"\\\g<0>", text))


def _formula(formula: str) -> str:
    """Return a formula in plain signs as code: `\\frac{1}{2}x^2` → `1/2x²`."""
    match = _FORMULA.fullmatch(formula)
    inner = next(filter(None, match.groups())) if match else formula
    if not re.search(r"[\\^_=+<>]", inner):  # prices: "$5 or $"
        return _escaped(formula)
    return f"`{plain_formula(inner)}`"


def plain_formula(formula: str) -> str:
    """Return LaTeX in plain signs, as far as there are signs for it."""
    text = re.sub(r"\\(?:text|mathrm|mathbf|operatorname|boxed)\s*" + _GROUP, r"\1", formula)
    for _ in range(3):  # nested ones
        text = re.sub(rf"\\[dt]?frac\s*{_GROUP}\s*{_GROUP}", lambda m: f"{_term(m[1])}/{_term(m[2])}", text)
        text = re.sub(rf"\\sqrt\s*{_GROUP}", lambda m: f"√{_term(m[1])}", text)
    text = re.sub(rf"\^(?:{_GROUP}|(\w))", lambda m: _raised(m[1] or m[2], _SUPERSCRIPTS, "^"), text)
    text = re.sub(rf"_(?:{_GROUP}|(\w))", lambda m: _raised(m[1] or m[2], _SUBSCRIPTS, "_"), text)
    text = re.sub(r"\\([A-Za-z]+)", lambda m: _SYMBOLS.get(m[1], m[1]), text)
    text = re.sub(r"\\[,;:! ]|\\\\", " ", text)
    return " ".join(re.sub(r"[{}\\]", "", text).replace("`", "'").split())


def _term(text: str) -> str:
    return text if re.fullmatch(r"\\?\w+", text) else f"({text})"


def _raised(text: str, signs: dict[int, int], mark: str) -> str:
    raised = text.translate(signs)
    has_all = all(ord(sign) in signs for sign in text)
    return raised if has_all else f"{mark}{_term(text)}"
