"""Certificates for tests, made by openssl: an authority, and what it signs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_AUTHORITY = """\
[req]
distinguished_name=name
x509_extensions=extensions
prompt=no
[name]
CN=Test Authority
O=Inkling Tests
[extensions]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
"""
_LEAF = """\
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
extendedKeyUsage=emailProtection
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
"""


def make_certificate(folder: Path, *, expired: bool = False) -> tuple[Path, Path]:
    """Write a certificate of Example Studio with its authority's below, and its key; return both files."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder.mkdir(exist_ok=True)
    (folder / "authority.cnf").write_text(_AUTHORITY)
    (folder / "leaf.cnf").write_text(_LEAF)

    def openssl(command: str, *more: str) -> None:
        subprocess.run(["openssl", *command.split(), *more], cwd=folder, check=True, capture_output=True)

    for name in ("authority", "leaf"):
        openssl(f"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key")
    openssl("req -x509 -new -key authority.key -days 30 -out authority.pem -config authority.cnf")
    openssl("req -new -key leaf.key -out leaf.csr -subj", "/CN=Example Studio/O=Example")
    days = ("-days", "-1" if expired else "10")
    openssl(
        "x509 -req -in leaf.csr -CA authority.pem -CAkey authority.key -CAcreateserial -extfile leaf.cnf -out leaf.pem",
        *days,
    )
    chain = folder / "chain.pem"
    chain.write_text((folder / "leaf.pem").read_text() + (folder / "authority.pem").read_text())
    return chain, folder / "leaf.key"
