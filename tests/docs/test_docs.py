"""Documents that are written from the source stay what the source says."""

from pathlib import Path

from docs.generate import PAGE, page
from inference.config.schema import load_config


def test_the_configuration_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.generate"


def test_the_example_on_the_configuration_page_is_valid(tmp_path: Path) -> None:
    example = page().split("```yaml\n")[1].split("```")[0]
    (tmp_path / "config.yaml").write_text(example, encoding="utf-8")
    config = load_config(tmp_path / "config.yaml")
    assert [spec.name for spec in config.specs("complete")] == ["gpt2-large", "opt"]
