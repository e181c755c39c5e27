"""The section `origin` of config.yaml: how pictures tell that a model drew them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from inference.limits import ConfigSection, Expected, expanded


def _expanded(path: Path | None) -> Path | None:
    return path and expanded(path)


File = Annotated[Path | None, AfterValidator(_expanded), Expected("the path of a file")]


class OriginSection(ConfigSection):
    """How drawn pictures tell where they are from; see [Where a picture is from](origin.md)."""

    mark: bool = Field(
        default=True,
        description="Whether drawn pictures get an invisible mark in their pixels and a line in their file, which say "
        "that a model drew them. They name no person and no server.",
    )
    certificate: File = Field(
        default=None,
        description="A file with a certificate and the certificates above it (PEM), with which drawn pictures are "
        "signed by the standard C2PA. It needs `pip install -r requirements-c2pa.txt`.",
    )
    key: File = Field(
        default=None, description="The file with the private key of that certificate (PEM, without a password)."
    )

    @model_validator(mode="after")
    def _has_both_files(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("`certificate` and `key` belong together: give both, or neither")
        return self

    def relative_to(self, folder: Path) -> OriginSection:
        """Return the section with absolute paths, which are relative to `folder` until then."""
        files = {"certificate": self.certificate, "key": self.key}
        return self.model_copy(update={name: path and (folder / path).resolve() for name, path in files.items()})
