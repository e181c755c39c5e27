"""Test that the documentation matches the source."""

import re
from pathlib import Path

import yaml

from docs.generate import PAGE, page
from inference.config.loading import load_config
from inference.config.schema import Config

ROOT = Path(__file__).parents[2]
_SOURCE_FOLDERS = ("cogs", "inference", "storage", "tests")


def test_the_configuration_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.generate"


def test_every_default_on_the_configuration_page_is_one_that_people_can_write() -> None:
    assert "Undefined" not in page()


def test_the_example_on_the_configuration_page_is_valid(tmp_path: Path) -> None:
    example = page().split("```yaml\n")[1].split("```")[0]
    (tmp_path / "config.yaml").write_text(example, encoding="utf-8")
    config = load_config(tmp_path / "config.yaml")
    assert [spec.name for spec in config.specs("complete")] == ["gpt2-large", "opt"]


def test_the_code_quoted_in_the_contributing_guide_is_in_the_source() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    sources = [
        _without_indentation(file.read_text(encoding="utf-8"))
        for folder in _SOURCE_FOLDERS
        for file in (ROOT / folder).rglob("*.py")
    ]
    quotes = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    assert quotes
    for quote in quotes:
        assert any(_without_indentation(quote) in source for source in sources), quote


def test_the_commented_models_of_the_config_are_valid_fit_their_machines_and_are_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    memory, models = 0, 0
    for line in (ROOT / "config.yaml").read_text(encoding="utf-8").splitlines():
        if machine := re.fullmatch(r"# A .*?(\d+) GB:", line):
            memory = int(machine[1])
        if model := re.fullmatch(r"# +(?:[a-z]+ +)?- (.*?) +# ([\d.]+) GB, (.*)", line):
            entry = yaml.safe_load(model[1])
            repo = Config.model_validate({"models": {"complete": [entry]}}).models["complete"][0].repo
            assert float(model[2]) <= 0.7 * memory * 1.074, line  # GB of GiB
            assert re.search(rf"{re.escape(repo)}[^|]*\({model[2]} GB, {re.escape(model[3])}\)", readme), line
            models += 1
    assert models == 13


def _without_indentation(code: str) -> str:
    """Remove the indentation, so that a quoted method matches its source."""
    return "\n".join(line.strip() for line in code.splitlines()).strip()
