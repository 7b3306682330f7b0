"""Signatures: one key a server, one form of signature, and no other manifest under it."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.archive.canonical import canonical
from core.archive.errors import ArchiveDamaged, ArchiveUntrusted
from core.archive.signature import CONTEXT, SigningKey, check_signature
from tests.core.archive.making import KEY

MANIFEST = b'{"format":"appkeep-backup"}'
ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 8032: the order of the group


def signed(**changes: Any) -> bytes:
    """Return a right signature with other values."""
    return canonical(json.loads(KEY.sign(MANIFEST)) | changes)


def test_a_signature_names_its_signer() -> None:
    """What comes back is the public key, for the caller to know or not to know."""
    assert check_signature(KEY.sign(MANIFEST), MANIFEST) == KEY.public_hex
    assert len(KEY.sign(MANIFEST)) <= 1024


@pytest.mark.parametrize("other", [b"", MANIFEST + b" ", MANIFEST.replace(b"backup", b"Backup"), CONTEXT + MANIFEST])
def test_a_signature_fits_one_manifest(other: bytes) -> None:
    """HOSTILE 26: any other bytes are refused."""
    with pytest.raises(ArchiveUntrusted) as refused:
        check_signature(KEY.sign(MANIFEST), other)
    assert refused.value.code == "untrusted_signature"


def test_another_key_or_another_purpose_does_not_fit() -> None:
    """HOSTILE 26: the key belongs to the signature, and what the key signed elsewhere is no backup."""
    elsewhere = Ed25519PrivateKey.generate()
    for changes in ({"key": SigningKey.new().public_hex}, {"signature": KEY.key.sign(MANIFEST).hex()},
                    {"signature": elsewhere.sign(CONTEXT + MANIFEST).hex()}, {"key": "0" * 64}, {"key": "f" * 64},
                    {"signature": "0" * 128}):
        with pytest.raises(ArchiveUntrusted):
            check_signature(signed(**changes), MANIFEST)


def test_a_second_signature_of_the_same_sense_is_refused() -> None:
    """HOSTILE 26: adding the group's order to S gives other bytes that sloppy verifiers accept."""
    right = bytes.fromhex(json.loads(KEY.sign(MANIFEST))["signature"])
    larger = int.from_bytes(right[32:], "little") + ORDER
    with pytest.raises(ArchiveUntrusted):
        check_signature(signed(signature=(right[:32] + larger.to_bytes(32, "little")).hex()), MANIFEST)


@pytest.mark.parametrize("data", [
    b"", b"{}", b"[]", b"null", b"x" * 100, KEY.sign(MANIFEST) + b"\n", b" " + KEY.sign(MANIFEST),
    signed(algorithm="none"), signed(algorithm="Ed25519"), signed(more=1), signed(key=None), signed(key=1),
    signed(key=KEY.public_hex.upper()), signed(key=KEY.public_hex[:-2]), signed(key=KEY.public_hex[:-1] + "\n"),
    signed(signature="0" * 127), signed(signature="g" * 128), signed(signature=["0" * 128]),
], ids=lambda data: repr(data[:30]))
def test_a_signature_of_another_form_is_refused(data: bytes) -> None:
    """HOSTILE 26 and 29: lower case, full length, these three names."""
    with pytest.raises(ArchiveDamaged):
        check_signature(data, MANIFEST)


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    """The second start finds the key of the first; nobody else on the machine can read it."""
    path = tmp_path / "keys" / "signing.key"
    assert SigningKey.load_or_make(path).public_hex == SigningKey.load_or_make(path).public_hex
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_servers_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    """Whoever comes second takes the first one's key."""
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: SigningKey.load_or_make(tmp_path / "signing.key").public_hex, range(64)))
    assert len(set(found)) == 1
