"""Signing of pictures by C2PA, and reading of the signatures; c2pa-python is optional."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from inference.images import content_credentials
from inference.images.content_credentials import Credentials, PictureSigner, SigningProblem, read_credentials
from inference.images.decoding import side_data
from inference.images.origin import encode_drawn
from inference.images.xmp import source_type_uri
from tests.inference.images.certificates import make_certificate
from tests.inference.images.test_decoding import encode
from tests.inference.images.test_watermark import texture

needs_c2pa = pytest.mark.skipif(not content_credentials.is_available(), reason="c2pa-python is not installed")

PICTURE = encode_drawn(texture(128, 128), "a fox\nSteps: 3, Version: Inkling", mark=True)
DRAWN = source_type_uri("trainedAlgorithmicMedia")


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> PictureSigner:
    return PictureSigner(*make_certificate(tmp_path_factory.mktemp("certificate")))


@needs_c2pa
def test_a_signed_picture_is_valid_and_keeps_its_pixels_and_parameters(signer: PictureSigner) -> None:
    signed = signer.sign(PICTURE, DRAWN)
    assert read_credentials(signed) == Credentials(
        "valid", "Example Studio, Example", "Inkling", "trainedAlgorithmicMedia"
    )
    assert Image.open(BytesIO(signed)).tobytes() == Image.open(BytesIO(PICTURE)).tobytes()
    assert side_data(signed).texts == side_data(PICTURE).texts


@needs_c2pa
def test_a_signature_by_the_operators_own_certificate_is_trusted(signer: PictureSigner, tmp_path: Path) -> None:
    signed = signer.sign(PICTURE, DRAWN)
    found = read_credentials(signed, signer.anchors)
    assert found
    assert found.state == "trusted"
    other = PictureSigner(*make_certificate(tmp_path))
    found = read_credentials(signed, other.anchors)
    assert found
    assert found.state == "valid"


@needs_c2pa
def test_a_picture_that_was_changed_after_it_was_signed_is_found_out(signer: PictureSigner) -> None:
    signed = bytearray(signer.sign(PICTURE, DRAWN))
    signed[-60] ^= 1
    found = read_credentials(bytes(signed))
    assert found
    assert found.state == "broken"


@needs_c2pa
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
def test_pictures_of_every_format_may_have_no_signature(kind: str) -> None:
    assert read_credentials(encode(texture(16, 16), kind)) is None


def problem(certificate: Path, key: Path) -> str:
    with pytest.raises(SigningProblem) as found:
        PictureSigner(certificate, key)
    return str(found.value)


@needs_c2pa
def test_each_problem_of_a_certificate_has_its_sentence(tmp_path: Path) -> None:
    chain, key = make_certificate(tmp_path / "fine")
    old, old_key = make_certificate(tmp_path / "old", expired=True)
    nothing, locked = tmp_path / "nothing.pem", tmp_path / "fine/authority.key"
    assert re.fullmatch(rf"{old} has expired on \d{{4}}-\d\d-\d\d\. Get a new certificate", problem(old, old_key))
    assert problem(nothing, key) == f"the certificate {nothing} can't be read: No such file or directory"
    assert problem(chain, nothing) == f"the key {nothing} can't be read: No such file or directory"
    assert problem(key, key) == f"{key} holds no certificate in the format PEM"
    assert problem(chain, chain) == f"{chain} holds no private key in the format PEM"
    assert problem(chain, locked) == f"the key {locked} is not that of the first certificate in {chain}"
    authority = tmp_path / "fine/authority.pem"
    assert problem(authority, locked).startswith(f"C2PA does not sign with {authority}: ")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(content_credentials, "is_available", lambda: False)
    assert "c2pa-python" in problem(tmp_path / "chain.pem", tmp_path / "key.pem")
