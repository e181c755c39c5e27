"""Test the training of the starter models: the data, the training loop, resuming, and the saved models."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from inference.pipelines.captioning import Captioning
from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.tasks import Caption, CaptionRequest, ImageResult, ImagineRequest
from inference.text.known_concepts import concepts_in
from inference.types import ModelSpec
from starter.drawings.artists import read_icons, read_sprites
from starter.drawings.collection import Collection
from starter.drawings.colours import COLOURS, recoloured
from starter.drawings.packages import UNSEEN_ARTIST
from starter.drawings.vocabulary import HELD_OUT, things
from starter.train import captioner, prompts
from starter.train.assemble import pipeline, save
from starter.train.augment import augment, cut_out, transform
from starter.train.autoencoder import Reconstruction, balance, encode, new_autoencoder
from starter.train.captioner import Naming, labels_of, new_captioner, save_captioner
from starter.train.denoiser import Denoiser, Denoising
from starter.train.examples import Examples, on_white, recoloured_examples, to_tensor
from starter.train.loop import Schedule, Training
from starter.train.painter import require_same_latents
from tests.inference.pipelines.harness import run

CPU = torch.device("cpu")
new_tokenizer = cache(prompts.new_tokenizer)
captioner_tokenizer = cache(captioner.new_tokenizer)
RED, BLUE, GREY = (220, 20, 30), (40, 120, 230), (128, 128, 128)


def disc(colour: tuple[int, int, int], leaf: tuple[int, int, int] | None = None) -> Any:
    """Return a disc on a transparent background, RGBA [64, 64, 4], optionally with a leaf of another colour on top."""
    y, x = np.mgrid[:64, :64]
    drawing = np.zeros((64, 64, 4), np.uint8)
    drawing[(x - 32) ** 2 + (y - 36) ** 2 < 400] = (*colour, 255)
    if leaf:
        drawing[2:12, 28:36] = (*leaf, 255)
    return drawing


def collection(*names: str, artist: str = "google") -> Collection:
    return Collection(np.stack([disc(RED) for _ in names]), names, (artist,) * len(names))


# Training data


def test_the_vocabulary_has_no_duplicate_names_or_emoji() -> None:
    for texts in ([thing.name for thing in things()], [thing.emoji for thing in things()]):
        assert len(set(texts)) == len(texts)
        assert 300 <= len(texts) <= 400


def test_every_word_of_a_held_out_name_occurs_in_a_training_name() -> None:
    names = {thing.name for thing in things()}
    seen = {word for name in names - HELD_OUT for word in name.split()}
    assert names >= HELD_OUT
    assert {word for name in HELD_OUT for word in name.split()} <= seen


def test_the_training_data_excludes_the_unseen_artist_and_held_out_names() -> None:
    known, unseen = collection("cat", *HELD_OUT), collection("dog", artist=UNSEEN_ARTIST)
    both = Collection(
        np.concatenate([known.pixels, unseen.pixels]), known.names + unseen.names, known.artists + unseen.artists
    )
    assert both.for_training().names == ("cat",)
    assert len(both.for_training().pixels) == 1


def test_recolouring_keeps_the_shape_and_the_green_leaf() -> None:
    changed = recoloured(disc(RED, leaf=(40, 160, 60)), "blue")
    assert changed is not None
    red, green, blue, alpha = changed[36, 32]
    assert blue > green > red
    assert alpha == 255
    assert tuple(changed[5, 30, :3]) == pytest.approx((40, 160, 60), abs=3)
    assert np.array_equal(changed[..., 3], disc(RED, leaf=(40, 160, 60))[..., 3])


def test_a_grey_drawing_cannot_be_recoloured() -> None:
    assert recoloured(disc(GREY), "blue") is None


def test_only_names_without_a_colour_are_recoloured() -> None:
    known = collection("cat", "red apple", "broken heart", "red circle")
    assert recoloured_examples(known, tiny_autoencoder()).names == tuple(f"{colour} cat" for colour in COLOURS)


def archive_of(file: Path, **contents: bytes) -> Path:
    with tarfile.open(file, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file


def test_sprites_are_found_by_code_point_and_missing_ones_are_skipped(tmp_path: Path) -> None:
    png = io.BytesIO()
    Image.fromarray(disc(RED)).save(png, "PNG")
    archive = archive_of(tmp_path / "sprites.tgz", **{"img/google/64/2764-fe0f.png": png.getvalue()})
    found = read_sprites(archive, "google", ["❤️", "🐱"])
    assert list(found) == ["❤️"]
    assert np.array_equal(found["❤️"], disc(RED))


def test_icons_are_drawn_at_the_same_size_even_when_they_are_not_square(tmp_path: Path) -> None:
    icon = {"body": '<path fill="#dc141e" d="M0 0h32v33H0z"/>', "height": 33}
    icons = json.dumps({"width": 32, "height": 32, "icons": {"red-heart": icon}}).encode()
    archive = archive_of(tmp_path / "icons.tgz", **{"icons.json": icons, "chars.json": b'{"2764": "red-heart"}'})
    found = read_icons(archive, archive, ["❤️", "🐱"])
    assert list(found) == ["❤️"]
    assert found["❤️"].shape == (64, 64, 4)
    assert tuple(found["❤️"][32, 32]) == (220, 20, 30, 255)


# Training loop


def tiny_autoencoder() -> Any:
    torch.manual_seed(0)
    return new_autoencoder((8, 8, 8, 8))


def reconstruction() -> Reconstruction:
    return Reconstruction(to_tensor(collection("cat", "dog").pixels), CPU, batch_size=2, network=tiny_autoencoder())


def denoising() -> Denoising:
    tokenizer = new_tokenizer()
    latents = torch.randn(2, 12, 8, 8, generator=torch.Generator().manual_seed(0))
    examples = Examples(latents, ("red heart", "blue circle"))
    torch.manual_seed(0)
    networks = Denoiser(tokenizer, widths=(16, 16), word_width=16)
    return Denoising((examples, examples), (0.5, 0.5), tokenizer, CPU, networks, batch_size=2)


def captioning() -> Naming:
    tokenizer = captioner_tokenizer()
    torch.manual_seed(0)
    network = new_captioner(tokenizer, width=16, heads=2)
    return Naming(collection("cat", "red apple"), tokenizer, CPU, network, batch_size=2)


class Killed(BaseException):
    pass


def weights(training: Training) -> list[Tensor]:
    return list(training.averaged.state_dict().values())


@pytest.mark.parametrize("task", [reconstruction, denoising, captioning])
def test_a_resumed_training_run_gives_the_same_weights(task: Callable[[], Any], tmp_path: Path) -> None:
    schedule = Schedule(steps=4, rate=1e-3, ema=0.5)
    uninterrupted = Training(task(), schedule, tmp_path / "uninterrupted.pt")
    uninterrupted.run()

    def kill(training: Training) -> None:
        if training.step == 2:
            raise Killed

    with pytest.raises(Killed):
        Training(task(), schedule, tmp_path / "killed.pt", save_every=0).run(after_save=kill)
    resumed = Training(task(), schedule, tmp_path / "killed.pt")
    assert resumed.step == 2
    resumed.run()
    assert all(torch.equal(one, other) for one, other in zip(weights(uninterrupted), weights(resumed), strict=True))


def test_training_reduces_the_loss(tmp_path: Path) -> None:
    training = Training(reconstruction(), Schedule(steps=20, rate=3e-3, ema=0.5), tmp_path / "run.pt", save_every=0)
    training.run()
    losses = [float(line.split(",")[1]) for line in (tmp_path / "run.csv").read_text().splitlines()]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_the_learning_rate_warms_up_stays_constant_and_decays_to_zero() -> None:
    schedule = Schedule(steps=2000, rate=1e-3)
    assert schedule.factor(0) < 0.01
    assert schedule.factor(300) == schedule.factor(1400) == 1
    assert 0 < schedule.factor(1999) < 0.01


# Models and augmentation


def test_cutout_erases_a_rectangle_of_at_most_a_ninth_of_the_drawing() -> None:
    drawings = torch.full((50, 4, 64, 64), 200.0)
    erased = cut_out(drawings, torch.Generator().manual_seed(0))[:, 3] == 0
    for hole in erased:
        assert hole.sum() == hole.any(dim=0).sum() * hole.any(dim=1).sum()
        assert hole.sum() <= 22 * 22
    assert erased.flatten(1).any(dim=1).sum() >= 40


def test_tilting_and_bending_change_a_drawing_but_keep_its_area() -> None:
    bar = torch.zeros(20, 4, 64, 64)
    bar[:, :, 28:36, 8:56] = 255
    for options in ({"tilt": 20}, {"bend": 0.05}):
        moved = transform(bar, 0, 0, torch.Generator().manual_seed(0), **options)
        assert (moved[:, 3, 32, 32] > 250).all()
        assert torch.allclose(moved[:, 3].mean(dim=(1, 2)), bar[:, 3].mean(dim=(1, 2)), rtol=0.2)
        assert ((moved - bar).abs().mean(dim=(1, 2, 3)) > 1).float().mean() > 0.8


def test_augmented_drawings_are_all_different_and_keep_their_colour() -> None:
    drawings = to_tensor(np.stack([disc(RED)] * 200))
    images = augment(drawings, torch.Generator().manual_seed(0))
    assert len({float(image.sum()) for image in images}) == 200
    assert images.min() >= 0
    assert images.max() <= 1
    red, green, blue = images[:, :, 24:40, 24:40].mean(dim=(0, 2, 3))
    assert red > 2 * max(green, blue)


def test_balancing_normalizes_the_latents_and_keeps_the_decoded_picture() -> None:
    model = tiny_autoencoder().eval()
    images = on_white(to_tensor(np.stack([disc(RED), disc(BLUE), disc(GREY, leaf=RED)])))
    before = model.decode(encode(model, images)).sample
    balance(model, images)
    latents = encode(model, images)
    assert torch.allclose(latents.mean(dim=(0, 2, 3)), torch.zeros(12), atol=1e-4)
    assert torch.allclose(latents.std(dim=(0, 2, 3)), torch.ones(12), atol=1e-4)
    assert torch.allclose(model.decode(latents).sample, before, atol=1e-4)


def test_a_denoiser_run_cannot_resume_with_another_autoencoder(tmp_path: Path) -> None:
    autoencoder, denoiser = tmp_path / "autoencoder.pt", tmp_path / "denoiser.pt"
    autoencoder.write_bytes(b"one")
    require_same_latents(tmp_path)
    autoencoder.write_bytes(b"another, before the denoiser began")
    require_same_latents(tmp_path)
    denoiser.touch()
    require_same_latents(tmp_path)
    autoencoder.write_bytes(b"a third")
    with pytest.raises(RuntimeError, match=r"denoiser\.pt belongs to another autoencoder\. Remove it"):
        require_same_latents(tmp_path)


def test_the_dropout_of_the_captioner_uses_the_generator_of_the_run() -> None:
    tokenizer = captioner_tokenizer()
    network = new_captioner(tokenizer, width=16, heads=2).train()
    task = Naming(collection("cat", "star"), tokenizer, CPU, network, batch_size=4)
    one, repeated, other = (task.loss(torch.Generator().manual_seed(seed)).item() for seed in (5, 5, 6))
    assert one == repeated != other


def test_every_word_of_the_vocabulary_is_one_token() -> None:
    tokenizer = new_tokenizer()
    assert [thing.name for thing in things() if len(tokenizer.tokenize(thing.name)) != len(thing.name.split())] == []
    assert tokenizer.unk_token not in tokenizer.tokenize("zebra-like quartz in a café, 7 times!")


def test_the_saved_image_model_can_be_loaded_and_run_by_inference(tmp_path: Path) -> None:
    tokenizer = new_tokenizer()
    networks = Denoiser(tokenizer, widths=(16, 16), word_width=16)
    save(pipeline(tokenizer, networks, tiny_autoencoder()), tmp_path)
    spec = ModelSpec(name="starter", task="imagine", repo="starter")
    text_to_image = TextToImage.load(spec, tmp_path, Placement(CPU, torch.float32))
    (result,) = run(text_to_image, ImagineRequest(prompt="red heart", steps=2, seed=1))
    assert isinstance(result, ImageResult)
    assert (result.width, result.height) == (64, 64)
    assert [name for names in concepts_in(tmp_path).values() for name in names] == [thing.name for thing in things()]
    assert not any(pipe.is_dir() for pipe in tmp_path.glob("*checker*"))


def test_the_labels_are_the_name_and_an_end_token() -> None:
    tokenizer: Any = captioner_tokenizer()
    labels = labels_of(tokenizer, ("cat", "red apple"))
    assert labels.shape == (2, 3)
    assert tokenizer.decode(labels[1]) == " red apple<|endoftext|>"
    assert tokenizer.decode(labels[0, :2]) == " cat<|endoftext|>"
    assert labels[0, 2] == -100


def test_the_saved_captioner_can_be_loaded_and_run_by_inference(tmp_path: Path) -> None:
    tokenizer = captioner_tokenizer()
    save_captioner(new_captioner(tokenizer, width=16, heads=2), tokenizer, tmp_path)
    spec = ModelSpec(name="starter", task="caption", repo="starter")
    model = Captioning.load(spec, tmp_path, Placement(CPU, torch.float32))
    png = io.BytesIO()
    Image.fromarray(disc(RED)).save(png, "PNG")
    (caption,) = run(model, CaptionRequest(image=png.getvalue()))
    assert isinstance(caption, Caption)
