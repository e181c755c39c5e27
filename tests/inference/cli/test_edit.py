"""Test `edit` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference import EditRequest
from tests.fakes import PNG, drawn
from tests.inference.cli.command_line import CommandLine

MODEL = ("--model", "timbrooks/instruct-pix2pix")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    (tmp_path / "cup.png").write_bytes(PNG)
    return tmp_path / "cup.png"


def test_edit_writes_the_picture_and_prints_its_settings(run: CommandLine, picture: Path, tmp_path: Path) -> None:
    file = tmp_path / "red.png"
    options = ["--size", "64x128", "--steps", "9", "--guidance", "5", "--image-guidance", "1.2", "--seed", "11"]
    fields = run("edit", picture, "make the cup red", "-o", file, *options, *MODEL, "--json").fields
    assert (fields["images"], fields["seed"], fields["steps"]) == ([str(file)], 11, 9)
    assert (fields["guidance_scale"], fields["image_guidance_scale"]) == (5.0, 1.2)
    request = EditRequest(
        prompt="make the cup red",
        image=PNG,
        width=64,
        height=128,
        steps=9,
        guidance_scale=5.0,
        image_guidance_scale=1.2,
        seed=11,
        model="timbrooks/instruct-pix2pix",
        mark_origin=True,
    )
    assert run.backend.requests == [request]
    assert file.read_bytes() == drawn(request).pictures[0].png


def test_edit_without_a_model_in_the_config_says_so(run: CommandLine, picture: Path, tmp_path: Path) -> None:
    done = run("edit", picture, "make the cup red", "-o", tmp_path / "red.png")
    assert (done.status, done.out) == (2, "")
    assert "No model is set up for" in done.err


def test_an_edited_picture_is_not_repeated_without_the_first_one(
    run: CommandLine, picture: Path, tmp_path: Path
) -> None:
    run("edit", picture, "make the cup red", "-o", tmp_path / "red.png", *MODEL)
    done = run("imagine", "--image", tmp_path / "red.png", "-o", tmp_path / "again.png")
    assert done.status == 2
    assert "Use the command `edit` with that one and 'make the cup red'" in done.err
