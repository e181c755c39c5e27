"""Training of the starter's models: what it sees, what it never sees, and that a killed run goes on as if unharmed."""

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
    """A round thing on nothing, RGBA [64, 64, 4], perhaps with a leaf of another colour on top."""
    y, x = np.mgrid[:64, :64]
    drawing = np.zeros((64, 64, 4), np.uint8)
    drawing[(x - 32) ** 2 + (y - 36) ** 2 < 400] = (*colour, 255)
    if leaf:
        drawing[2:12, 28:36] = (*leaf, 255)
    return drawing


def collection(*names: str, artist: str = "google") -> Collection:
    return Collection(np.stack([disc(RED) for _ in names]), names, (artist,) * len(names))


# What is drawn


def test_every_name_and_every_emoji_stands_once_in_the_vocabulary() -> None:
    for texts in ([thing.name for thing in things()], [thing.emoji for thing in things()]):
        assert len(set(texts)) == len(texts)
        assert 300 <= len(texts) <= 400


def test_the_words_of_what_is_held_out_occur_in_what_is_seen() -> None:
    names = {thing.name for thing in things()}
    seen = {word for name in names - HELD_OUT for word in name.split()}
    assert names >= HELD_OUT
    assert {word for name in HELD_OUT for word in name.split()} <= seen


def test_training_sees_neither_the_unseen_artist_nor_what_is_held_out() -> None:
    known, unseen = collection("cat", *HELD_OUT), collection("dog", artist=UNSEEN_ARTIST)
    both = Collection(
        np.concatenate([known.pixels, unseen.pixels]), known.names + unseen.names, known.artists + unseen.artists
    )
    assert both.for_training().names == ("cat",)
    assert len(both.for_training().pixels) == 1


def test_a_painted_thing_keeps_its_form_and_the_leaf_its_green() -> None:
    changed = recoloured(disc(RED, leaf=(40, 160, 60)), "blue")
    assert changed is not None
    red, green, blue, alpha = changed[36, 32]
    assert blue > green > red
    assert alpha == 255
    assert tuple(changed[5, 30, :3]) == pytest.approx((40, 160, 60), abs=3)
    assert np.array_equal(changed[..., 3], disc(RED, leaf=(40, 160, 60))[..., 3])


def test_a_grey_thing_has_no_colour_to_change() -> None:
    assert recoloured(disc(GREY), "blue") is None


def test_colours_are_added_to_plain_things_alone() -> None:
    known = collection("cat", "red apple", "broken heart", "red circle")
    assert recoloured_examples(known, tiny_autoencoder()).names == tuple(f"{colour} cat" for colour in COLOURS)


def packed(file: Path, **contents: bytes) -> Path:
    with tarfile.open(file, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file


def test_sprites_are_found_by_code_point_and_missing_ones_left_out(tmp_path: Path) -> None:
    png = io.BytesIO()
    Image.fromarray(disc(RED)).save(png, "PNG")
    archive = packed(tmp_path / "sprites.tgz", **{"img/google/64/2764-fe0f.png": png.getvalue()})
    found = read_sprites(archive, "google", ["❤️", "🐱"])
    assert list(found) == ["❤️"]
    assert np.array_equal(found["❤️"], disc(RED))


def test_icons_are_drawn_at_the_same_size_even_when_they_are_not_square(tmp_path: Path) -> None:
    icon = {"body": '<path fill="#dc141e" d="M0 0h32v33H0z"/>', "height": 33}
    icons = json.dumps({"width": 32, "height": 32, "icons": {"red-heart": icon}}).encode()
    archive = packed(tmp_path / "icons.tgz", **{"icons.json": icons, "chars.json": b'{"2764": "red-heart"}'})
    found = read_icons(archive, archive, ["❤️", "🐱"])
    assert list(found) == ["❤️"]
    assert found["❤️"].shape == (64, 64, 4)
    assert tuple(found["❤️"][32, 32]) == (220, 20, 30, 255)


# The loop


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


def naming() -> Naming:
    tokenizer = captioner_tokenizer()
    torch.manual_seed(0)
    network = new_captioner(tokenizer, width=16, heads=2)
    return Naming(collection("cat", "red apple"), tokenizer, CPU, network, batch_size=2)


class Killed(BaseException):
    pass


def weights(training: Training) -> list[Tensor]:
    return list(training.averaged.state_dict().values())


@pytest.mark.parametrize("task", [reconstruction, denoising, naming])
def test_a_run_that_was_killed_goes_on_to_the_same_weights(task: Callable[[], Any], tmp_path: Path) -> None:
    schedule = Schedule(steps=4, rate=1e-3, ema=0.5)
    whole = Training(task(), schedule, tmp_path / "whole.pt")
    whole.run()

    def kill(training: Training) -> None:
        if training.step == 2:
            raise Killed

    with pytest.raises(Killed):
        Training(task(), schedule, tmp_path / "killed.pt", save_every=0).run(after_save=kill)
    resumed = Training(task(), schedule, tmp_path / "killed.pt")
    assert resumed.step == 2
    resumed.run()
    assert all(torch.equal(one, other) for one, other in zip(weights(whole), weights(resumed), strict=True))


def test_training_draws_the_pictures_better(tmp_path: Path) -> None:
    training = Training(reconstruction(), Schedule(steps=20, rate=3e-3, ema=0.5), tmp_path / "run.pt", save_every=0)
    training.run()
    losses = [float(line.split(",")[1]) for line in (tmp_path / "run.csv").read_text().splitlines()]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_the_learning_rate_rises_stays_and_falls_to_nothing() -> None:
    schedule = Schedule(steps=2000, rate=1e-3)
    assert schedule.factor(0) < 0.01
    assert schedule.factor(300) == schedule.factor(1400) == 1
    assert 0 < schedule.factor(1999) < 0.01


# The model


def test_a_hole_is_a_rectangle_of_at_most_a_ninth_of_the_drawing() -> None:
    drawings = torch.full((50, 4, 64, 64), 200.0)
    gone = cut_out(drawings, torch.Generator().manual_seed(0))[:, 3] == 0
    for hole in gone:
        assert hole.sum() == hole.any(dim=0).sum() * hole.any(dim=1).sum()
        assert hole.sum() <= 22 * 22
    assert gone.flatten(1).any(dim=1).sum() >= 40


def test_tilted_and_bent_drawings_are_other_drawings_of_the_same_thing() -> None:
    bar = torch.zeros(20, 4, 64, 64)
    bar[:, :, 28:36, 8:56] = 255
    for options in ({"tilt": 20}, {"bend": 0.05}):
        moved = transform(bar, 0, 0, torch.Generator().manual_seed(0), **options)
        assert (moved[:, 3, 32, 32] > 250).all()
        assert torch.allclose(moved[:, 3].mean(dim=(1, 2)), bar[:, 3].mean(dim=(1, 2)), rtol=0.2)
        assert ((moved - bar).abs().mean(dim=(1, 2, 3)) > 1).float().mean() > 0.8


def test_a_disguised_drawing_never_looks_the_same_and_keeps_its_colour() -> None:
    drawings = to_tensor(np.stack([disc(RED)] * 200))
    images = augment(drawings, torch.Generator().manual_seed(0))
    assert len({float(image.sum()) for image in images}) == 200
    assert images.min() >= 0
    assert images.max() <= 1
    red, green, blue = images[:, :, 24:40, 24:40].mean(dim=(0, 2, 3))
    assert red > 2 * max(green, blue)


def test_balanced_latents_have_one_spread_and_draw_the_same_picture() -> None:
    model = tiny_autoencoder().eval()
    images = on_white(to_tensor(np.stack([disc(RED), disc(BLUE), disc(GREY, leaf=RED)])))
    before = model.decode(encode(model, images)).sample
    balance(model, images)
    latents = encode(model, images)
    assert torch.allclose(latents.mean(dim=(0, 2, 3)), torch.zeros(12), atol=1e-4)
    assert torch.allclose(latents.std(dim=(0, 2, 3)), torch.ones(12), atol=1e-4)
    assert torch.allclose(model.decode(latents).sample, before, atol=1e-4)


def test_a_denoiser_does_not_go_on_with_another_autoencoder(tmp_path: Path) -> None:
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


def test_the_captioners_dropout_follows_the_runs_own_generator() -> None:
    tokenizer = captioner_tokenizer()
    network = new_captioner(tokenizer, width=16, heads=2).train()
    task = Naming(collection("cat", "star"), tokenizer, CPU, network, batch_size=4)
    one, again, other = (task.loss(torch.Generator().manual_seed(seed)).item() for seed in (5, 5, 6))
    assert one == again != other


def test_every_word_of_the_vocabulary_is_one_token() -> None:
    tokenizer = new_tokenizer()
    assert [thing.name for thing in things() if len(tokenizer.tokenize(thing.name)) != len(thing.name.split())] == []
    assert tokenizer.unk_token not in tokenizer.tokenize("zebra-like quartz in a café, 7 times!")


def test_the_saved_model_is_one_that_inference_loads_and_draws_with(tmp_path: Path) -> None:
    tokenizer = new_tokenizer()
    networks = Denoiser(tokenizer, widths=(16, 16), word_width=16)
    save(pipeline(tokenizer, networks, tiny_autoencoder()), tmp_path)
    spec = ModelSpec(name="starter", task="imagine", repo="starter")
    painter = TextToImage.load(spec, tmp_path, Placement(CPU, torch.float32))
    (drawing,) = run(painter, ImagineRequest(prompt="red heart", steps=2, seed=1))
    assert isinstance(drawing, ImageResult)
    assert (drawing.width, drawing.height) == (64, 64)
    assert [name for names in concepts_in(tmp_path).values() for name in names] == [thing.name for thing in things()]
    assert not any(pipe.is_dir() for pipe in tmp_path.glob("*checker*"))


def test_labels_are_the_name_and_the_mark_of_its_end() -> None:
    tokenizer: Any = captioner_tokenizer()
    labels = labels_of(tokenizer, ("cat", "red apple"))
    assert labels.shape == (2, 3)
    assert tokenizer.decode(labels[1]) == " red apple<|endoftext|>"
    assert tokenizer.decode(labels[0, :2]) == " cat<|endoftext|>"
    assert labels[0, 2] == -100


def test_the_saved_captioner_is_one_that_inference_loads_and_asks(tmp_path: Path) -> None:
    tokenizer = captioner_tokenizer()
    save_captioner(new_captioner(tokenizer, width=16, heads=2), tokenizer, tmp_path)
    spec = ModelSpec(name="starter", task="caption", repo="starter")
    model = Captioning.load(spec, tmp_path, Placement(CPU, torch.float32))
    png = io.BytesIO()
    Image.fromarray(disc(RED)).save(png, "PNG")
    (caption,) = run(model, CaptionRequest(image=png.getvalue()))
    assert isinstance(caption, Caption)
