"""Test `upscale` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from inference import UpscaleRequest
from tests.fakes import PNG, enlarged
from tests.inference.cli.command_line import CONFIG, CommandLine


@pytest.fixture
def picture(run: CommandLine, tmp_path: Path) -> Path:
    (run.folder / "config.yaml").write_text(
        f"{CONFIG}  upscale: [caidas/swin2SR-classical-sr-x2-64]\n", encoding="utf-8"
    )
    file = tmp_path / "small.png"
    file.write_bytes(PNG)
    return file


def test_the_enlarged_picture_is_written_and_its_size_is_printed(
    run: CommandLine, picture: Path, tmp_path: Path
) -> None:
    output = tmp_path / "large.png"
    assert run("upscale", picture, "-o", output).out == f"{output}: 2×2, enlarged from 1×1\n"
    [request] = run.backend.requests
    assert isinstance(request, UpscaleRequest)
    assert request.image == PNG
    assert output.read_bytes() == enlarged(request).png
    assert Image.open(output).size == (2, 2)


def test_json_has_the_file_and_its_size(run: CommandLine, picture: Path, tmp_path: Path) -> None:
    output = tmp_path / "large.png"
    assert run("upscale", picture, "-o", output, "--json").fields == {"image": str(output), "width": 2, "height": 2}


def test_a_file_that_can_not_be_written_is_an_error_in_one_line(
    run: CommandLine, picture: Path, tmp_path: Path
) -> None:
    output = tmp_path / "folder.png"
    output.mkdir()
    outcome = run("upscale", picture, "-o", output)
    assert outcome.status == 2
    assert outcome.err.startswith(f"{output} can't be written: ")
