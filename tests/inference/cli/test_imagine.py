"""Test `imagine` on the command line: input and output files, and repeating a picture from its parameters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from inference import (
    GeneratedImage,
    ImageResult,
    ImagineRequest,
    Result,
)
from inference.images.decoding import encode_png
from inference.types.errors import Phrase
from tests.fakes import PNG, drawn
from tests.inference.cli.command_line import CommandLine


def test_imagine_writes_the_picture_and_prints_the_seed(run: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "fox.png"
    options = ["--negative", "dogs", "--size", "64x128", "--steps", "2", "--guidance", "5", "--seed", "11"]
    fields = run("imagine", "a fox", "-o", file, *options, "--json").fields
    assert (fields["images"], fields["seed"], fields["steps"]) == ([str(file)], 11, 2)
    request = ImagineRequest(
        prompt="a fox",
        negative_prompt="dogs",
        width=64,
        height=128,
        steps=2,
        guidance_scale=5.0,
        seed=11,
        model="stable-diffusion-v1-4",
        mark_origin=True,
    )
    assert run.backend.requests == [request]
    assert file.read_bytes() == drawn(request).pictures[0].png


def test_imagine_accepts_an_init_image_and_a_sampler_name_in_any_case(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "fox.png").write_bytes(PNG)
    (tmp_path / "data" / "loras").mkdir(parents=True)
    (tmp_path / "data" / "loras" / "ink.safetensors").touch()
    picture = GeneratedImage(PNG, 7)
    run.respond_with(Result(ImageResult((picture,), 8, 8, 20, 7.5, sampler="Euler a", strength=0.6)))
    init_image = ["--image", tmp_path / "fox.png", "--strength", "0.6", "--sampler", "euler A", "--lora", "ink:0.5"]
    out = ["-o", tmp_path / "new.png", "--seed", "7"]
    fields = run("imagine", "a fox", *out, *init_image, "--mask", tmp_path / "fox.png", "--json").fields
    assert (fields["sampler"], fields["strength"]) == ("Euler a", 0.6)
    done = run("imagine", "a fox", *out, *init_image, "--region", "left half")
    assert "seed 7, 8×8, 20 steps, guidance 7.5, Euler a, strength 0.6" in done.out
    request = ImagineRequest(
        prompt="a fox",
        seed=7,
        image=PNG,
        strength=0.6,
        sampler="Euler a",
        lora="ink:0.5",
        model="stable-diffusion-v1-4",
        mark_origin=True,
    )
    assert run.backend.requests == [replace(request, mask=PNG), replace(request, region="left half")]


def picture_with_parameters(text: str) -> bytes:
    return encode_png(Image.new("RGB", (8, 8)), text)


def test_a_picture_with_parameters_is_repeated_without_a_prompt(run: CommandLine, tmp_path: Path) -> None:
    text = "a fox\nNegative prompt: dogs\nSteps: 9, Sampler: DDIM, CFG scale: 5, Seed: 11, Size: 64x128"
    (tmp_path / "fox.png").write_bytes(picture_with_parameters(text))
    repeat = ["imagine", "--image", tmp_path / "fox.png", "-o", tmp_path / "repeated.png"]
    assert run(*repeat).status == 0
    assert run(*repeat, "--seed", "12", "--count", "2").status == 0
    repeated = ImagineRequest(
        prompt="a fox",
        negative_prompt="dogs",
        steps=9,
        sampler="DDIM",
        guidance_scale=5.0,
        seed=11,
        width=64,
        height=128,
        model="stable-diffusion-v1-4",
        mark_origin=True,
    )
    assert run.backend.requests == [repeated, replace(repeated, seed=12, count=2)]


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (PNG, "Write a PROMPT to draw from this picture."),
        (
            picture_with_parameters("a red fox\nSteps: 9, Seed: 1, Denoising strength: 0.5, Init image hash: 00"),
            "Give that one as --image, with: 'a red fox' --strength 0.5 --steps 9 --seed 1",
        ),
        (picture_with_parameters("a fox\nSeed: many"), "'many' is no value for Seed"),
        (b"no picture", "not a picture"),
    ],
)
def test_a_picture_without_usable_parameters_needs_a_prompt(
    run: CommandLine, tmp_path: Path, picture: bytes, words: str
) -> None:
    (tmp_path / "fox.png").write_bytes(picture)
    done = run("imagine", "--image", tmp_path / "fox.png", "-o", tmp_path / "repeated.png")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert words in done.err


def test_strength_without_a_prompt_is_refused_for_a_repeated_picture(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "fox.png").write_bytes(picture_with_parameters("a fox\nSteps: 9, Seed: 1"))
    done = run("imagine", "--image", tmp_path / "fox.png", "--strength", "0.4", "-o", tmp_path / "repeated.png")
    assert (done.status, done.err) == (2, "To draw from this picture, write what it should become as PROMPT.\n")


def test_the_files_of_several_pictures_are_numbered(run: CommandLine, tmp_path: Path) -> None:
    done = run("imagine", "a fox", "-o", tmp_path / "fox.png", "--count", "2", "--seed", "1")
    assert [path.name for path in sorted(tmp_path.glob("*.png"))] == ["fox-1.png", "fox-2.png"]
    assert done.out.splitlines()[:2] == [str(tmp_path / "fox-1.png"), str(tmp_path / "fox-2.png")]
    assert "seeds 1 to 2" in done.out


def test_a_flagged_picture_is_not_written(run: CommandLine, tmp_path: Path) -> None:
    shown, flagged = GeneratedImage(PNG, 5), GeneratedImage(b"", 6, flagged=True)
    run.respond_with(Result(ImageResult((shown, flagged), 8, 8, 25, 7.5, note=Phrase("1 picture was held back."))))
    fields = run("imagine", "a fox", "-o", tmp_path / "fox.png", "--json").fields
    assert (fields["images"], fields["note"]) == ([str(tmp_path / "fox-1.png")], "1 picture was held back.")
    run.respond_with(Result(ImageResult((flagged,), 8, 8, 25, 7.5)))
    done = run("imagine", "a fox", "-o", tmp_path / "none.png")
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert not (tmp_path / "none.png").exists()
