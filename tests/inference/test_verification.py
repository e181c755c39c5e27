"""What the engine does for the origin of pictures: marks are asked for, files signed, and reports made."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from inference import Config, Engine, ImageResult, ImagineRequest, InvalidRequest, load_config
from inference.images.content_credentials import is_available, read_credentials
from inference.images.decoding import encode_png
from inference.images.origin import encode_drawn
from tests.fakes import FakeBackend, model_lists
from tests.inference.images.certificates import make_certificate
from tests.inference.images.test_watermark import texture

needs_c2pa = pytest.mark.skipif(not is_available(), reason="c2pa-python is not installed")

FOX = "a fox\nSteps: 3, Seed: 5, Version: Inkling"


def config(**origin: object) -> Config:
    return Config.model_validate({"models": model_lists(imagine=["org/brush"]), "origin": origin})


@pytest.mark.parametrize("mark", [True, False])
async def test_models_hear_whether_the_operator_wants_pictures_to_be_marked(mark: bool) -> None:
    backend = FakeBackend()
    engine = Engine(config(mark=mark), backend)
    await engine.run(engine.check(ImagineRequest(prompt="a fox")))
    (request,) = backend.requests
    assert isinstance(request, ImagineRequest)
    assert request.mark_origin == mark


def test_pictures_are_marked_by_default() -> None:
    assert Config().origin.mark


async def test_the_report_tells_what_a_picture_says_of_itself() -> None:
    engine = Engine(config(), FakeBackend())
    drawn = await engine.read_origin(encode_drawn(texture(256, 256), FOX, mark=True))
    assert drawn.mark is not None
    assert drawn.mark < -6
    assert (drawn.source_type, drawn.parameters) == ("trainedAlgorithmicMedia", True)
    plain = await engine.read_origin(encode_png(texture(256, 256)))
    assert plain.mark is not None
    assert plain.mark > -3
    assert (plain.source_type, plain.parameters, plain.credentials) == ("", False, None)
    assert (await engine.read_origin(encode_png(texture(64, 64)))).mark is None


async def test_what_is_no_picture_or_too_large_is_refused() -> None:
    settings = config()
    engine = Engine(
        settings.model_copy(update={"limits": settings.limits.model_copy(update={"upload_megapixels": 0.01})}),
        FakeBackend(),
    )
    for data in (b"I am a text", encode_png(texture(128, 128))):
        with pytest.raises(InvalidRequest):
            await engine.read_origin(data)


@needs_c2pa
async def test_drawn_pictures_are_signed_and_the_report_trusts_them(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    engine = Engine(config(certificate=certificate, key=key), FakeBackend())
    result = await engine.run(engine.check(ImagineRequest(prompt="a fox")))
    assert isinstance(result, ImageResult)
    report = await engine.read_origin(result.pictures[0].png)
    assert report.credentials
    assert (report.credentials.state, report.credentials.issuer) == ("trusted", "Example Studio, Example")


@needs_c2pa
async def test_a_signature_says_what_the_file_says(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    engine = Engine(config(certificate=certificate, key=key), FakeBackend())
    better = encode_drawn(texture(128, 128), FOX, mark=True, source_type="algorithmicallyEnhanced")
    found = read_credentials(await engine.sign(better))
    assert found
    assert found.source_type == "algorithmicallyEnhanced"


async def test_without_a_certificate_files_stay_as_they_are() -> None:
    picture = encode_png(texture(16, 16))
    assert await Engine(config(), FakeBackend()).sign(picture) == picture


async def test_what_keeps_pictures_from_being_signed_is_a_problem_of_the_config(tmp_path: Path) -> None:
    missing = tmp_path / "chain.pem"
    broken = config(certificate=missing, key=tmp_path / "key.pem")
    (problem,) = Engine(broken, FakeBackend()).problems()
    assert problem.startswith("origin.certificate: ")
    assert str(missing) in problem or "c2pa-python" in problem
    engine = Engine(config(), FakeBackend())
    assert await engine.reconfigure(broken) == [problem]
    assert engine.config.origin == config().origin


async def test_a_picture_that_can_not_be_signed_is_shown_without_a_signature(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Engine(config(certificate=tmp_path / "chain.pem", key=tmp_path / "key.pem"), FakeBackend())
    picture = encode_png(texture(16, 16))
    assert await engine.sign(picture) == picture
    assert "a picture is not signed: " in caplog.text


def test_certificate_and_key_belong_together_and_are_relative_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(yaml.dump({"origin": {"certificate": "chain.pem", "key": "/etc/key.pem"}}))
    origin = load_config(file).origin
    assert (origin.certificate, origin.key) == (tmp_path / "chain.pem", Path("/etc/key.pem"))
    with pytest.raises(ValueError, match="belong together"):
        config(certificate="chain.pem")
