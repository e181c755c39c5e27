"""Signing of pictures by the standard C2PA ("Content Credentials"), and reading of such signatures.

The package c2pa-python is optional (requirements-c2pa.txt), and imported where it is used.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from inference.images.xmp import source_type_uri

if TYPE_CHECKING:
    from cryptography.x509 import Certificate  # pyright: ignore[reportMissingImports]

_MISSING = (
    "signing needs the package c2pa-python. Install it with: pip install --no-deps -r requirements-c2pa.txt, or remove "
    "`certificate` and `key`"
)
_SETTINGS = {
    # A picture's address could lead the bot anywhere, and a thumbnail would only repeat the picture.
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}

_CURVES = {"secp256r1": b"es256", "secp384r1": b"es384", "secp521r1": b"es512"}

State = Literal["trusted", "valid", "broken"]
"""Of a signature: by a certificate that the bot's operator has set up; right, by somebody that nobody here vouches for;
or of another content than that of the picture."""

_STATES: dict[str, State] = {"Trusted": "trusted", "Valid": "valid"}


class SigningProblem(Exception):
    """Pictures can't be signed. The message is a clause for the bot's operator, without a full stop."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A signature in a picture: by whom, and what for. `source_type` is that of the IPTC, empty if it has none."""

    state: State
    issuer: str = ""
    program: str = ""
    source_type: str = ""


def is_available() -> bool:
    """Return whether signatures can be made and read here."""
    try:
        import c2pa  # noqa: F401  # pyright: ignore[reportMissingImports, reportUnusedImport]
        import cryptography  # noqa: F401  # pyright: ignore[reportMissingImports, reportUnusedImport]
    except (ImportError, OSError, RuntimeError):  # the last two: its library does not run here
        return False
    return True


class PictureSigner:
    """Signs pictures with a certificate. May be used by several threads."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read both files. Raise SigningProblem."""
        if not is_available():
            raise SigningProblem(_MISSING)
        from cryptography import x509  # pyright: ignore[reportMissingImports]

        self._chain = _read(certificate, "certificate")
        try:
            self._certificates = x509.load_pem_x509_certificates(self._chain)
        except ValueError as error:
            raise SigningProblem(f"{certificate} holds no certificate in the format PEM") from error
        self._algorithm, self._key = _private_key(_read(key, "key"), key, self._certificates[0], certificate)
        self._file = certificate
        self._lock = threading.Lock()
        self.check_validity()
        self._try_signing()

    @property
    def anchors(self) -> bytes:
        """The certificates (PEM) for `read_credentials`, which then trusts what this one signs."""
        return self._chain

    def check_validity(self) -> None:
        """Raise SigningProblem if the certificate can't be used today."""
        now, leaf = datetime.now(UTC), self._certificates[0]
        if now > leaf.not_valid_after_utc:
            raise SigningProblem(
                f"{self._file} has expired on {leaf.not_valid_after_utc:%Y-%m-%d}. Get a new certificate"
            )
        if now < leaf.not_valid_before_utc:
            raise SigningProblem(f"{self._file} is not valid before {leaf.not_valid_before_utc:%Y-%m-%d}")

    def sign(self, png: bytes, source_type: str) -> bytes:
        """Return the PNG file with a signature; pixels and texts stay the same. Raise SigningProblem."""
        import c2pa  # pyright: ignore[reportMissingImports]

        self.check_validity()
        manifest = {
            "claim_generator_info": [{"name": "Inkling"}],
            "assertions": [
                {
                    "label": "c2pa.actions.v2",
                    "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": source_type}]},
                }
            ],
        }
        signed = BytesIO()
        try:
            with self._lock:
                info = c2pa.C2paSignerInfo(self._algorithm, self._chain, self._key, None)
                with c2pa.Signer.from_info(info) as signer, _context() as context:
                    c2pa.Builder(manifest, context).sign(signer, "image/png", BytesIO(png), signed)
        except c2pa.C2paError as error:
            raise SigningProblem(f"C2PA does not sign with {self._file}: {_first_line(error)}") from error
        return signed.getvalue()

    def _try_signing(self) -> None:
        """Raise SigningProblem if the standard does not allow what this certificate signs."""
        from PIL import Image

        from inference.images.decoding import encode_png

        signed = self.sign(encode_png(Image.new("RGB", (8, 8))), source_type_uri("trainedAlgorithmicMedia"))
        found = read_credentials(signed)
        if found is None or found.state == "broken":
            raise SigningProblem(
                f"C2PA does not accept signatures by {self._file}. It must be made for signing (its extended key usage "
                "is document signing, or e-mail protection), and not sign itself"
            )


def read_credentials(data: bytes, anchors: bytes = b"") -> Credentials | None:
    """Return what the signature in a picture file says; None if there is none. C2PA must be available.

    Signatures by certificates that `anchors` (PEM) vouch for are trusted. Nothing is fetched.
    """
    import c2pa  # pyright: ignore[reportMissingImports]

    try:
        with _context(anchors) as context, c2pa.Reader(None, BytesIO(data), context=context) as reader:
            state = _STATES.get(str(reader.get_validation_state()), "broken")
            manifest: dict[str, Any] = reader.get_active_manifest() or {}
    except c2pa.C2paError as error:
        return None if _has_none(error) else Credentials("broken")
    signature: dict[str, Any] = manifest.get("signature_info") or {}
    programs: list[dict[str, Any]] = manifest.get("claim_generator_info") or [{}]
    names = dict.fromkeys(str(signature.get(key) or "") for key in ("common_name", "issuer"))
    return Credentials(
        state, ", ".join(filter(None, names)), str(programs[0].get("name") or ""), _source_type(manifest)
    )


def _source_type(manifest: dict[str, Any]) -> str:
    """Return the source type of the picture's creation."""
    for assertion in manifest.get("assertions") or []:
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            for action in (assertion.get("data") or {}).get("actions") or []:
                if source_type := str(action.get("digitalSourceType") or ""):
                    return source_type.rpartition("/")[2]
    return ""


def _context(anchors: bytes = b"") -> Any:
    import c2pa  # pyright: ignore[reportMissingImports]

    trust = {"trust": {"user_anchors": anchors.decode()}} if anchors else {}
    return c2pa.Context.from_json(json.dumps(_SETTINGS | trust))


def _has_none(error: Exception) -> bool:
    """Return whether a file holds no signature, or is of a format that can hold none."""
    return type(error).__name__.strip("_") in ("C2paManifestNotFound", "C2paNotSupported")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200].rstrip(".")


def _read(file: Path, name: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SigningProblem(f"the {name} {file} can't be read: {error.strerror}") from error


def _private_key(pem: bytes, file: Path, certificate: Certificate, name: Path) -> tuple[bytes, bytes]:
    """Return C2PA's name of the key's algorithm, and the key in the form that C2PA takes. Raise SigningProblem."""
    from cryptography.hazmat.primitives import serialization  # pyright: ignore[reportMissingImports]
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # pyright: ignore[reportMissingImports]

    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise SigningProblem(
            f"the key {file} has a password. Write it without one, readable for the bot alone"
        ) from error
    except ValueError as error:
        raise SigningProblem(f"{file} holds no private key in the format PEM") from error
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if key.public_key().public_bytes(*form) != certificate.public_key().public_bytes(*form):
        raise SigningProblem(f"the key {file} is not that of the first certificate in {name}")
    match key:
        case ec.EllipticCurvePrivateKey() if key.curve.name in _CURVES:
            algorithm = _CURVES[key.curve.name]
        case rsa.RSAPrivateKey() if key.key_size >= 2048:
            algorithm = b"ps256"
        case ed25519.Ed25519PrivateKey():
            algorithm = b"ed25519"
        case _:
            raise SigningProblem(f"C2PA knows no signatures by a key like {file}. Use one for ES256, PS256 or Ed25519")
    return algorithm, key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
