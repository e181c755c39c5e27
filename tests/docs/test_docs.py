"""Documents that are written from the source stay what the source says."""

import re
from pathlib import Path

from docs.generate import PAGE, page
from inference.config.schema import load_config

ROOT = Path(__file__).parents[2]
_QUOTED = ("cogs", "inference", "storage", "tests")


def test_the_configuration_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.generate"


def test_the_example_on_the_configuration_page_is_valid(tmp_path: Path) -> None:
    example = page().split("```yaml\n")[1].split("```")[0]
    (tmp_path / "config.yaml").write_text(example, encoding="utf-8")
    config = load_config(tmp_path / "config.yaml")
    assert [spec.name for spec in config.specs("complete")] == ["gpt2-large", "opt"]


def test_the_code_that_the_guide_for_contributors_quotes_stands_in_the_code() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    sources = [_lines(file.read_text(encoding="utf-8")) for top in _QUOTED for file in (ROOT / top).rglob("*.py")]
    quotes = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    assert quotes
    for quote in quotes:
        assert any(_lines(quote) in source for source in sources), quote


def _lines(code: str) -> str:
    """The lines of code without their indentation, so that a method can be quoted by itself."""
    return "\n".join(line.strip() for line in code.splitlines()).strip()
