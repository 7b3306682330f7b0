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
from core.archive.signature import CONTEXT, SigningKey, check_signature, is_weak
from tests.core.archive.making import KEY

MANIFEST = b'{"format":"appkeep-backup"}'
P = 2**255 - 19  # RFC 8032: the field of the curve
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


def times(n: int, point: tuple[int, int]) -> tuple[int, int]:
    """Return a point of the curve, added n times to nothing (RFC 8032, 5.1.4)."""
    found = (0, 1)
    for bit in bin(n)[2:]:
        found = plus(found, found)
        found = plus(found, point) if bit == "1" else found
    return found


def plus(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Return the sum of two points of the curve."""
    d = -121665 * pow(121666, -1, P) % P
    both = d * a[0] * b[0] * a[1] * b[1] % P
    return ((a[0] * b[1] + a[1] * b[0]) * pow(1 + both, -1, P) % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - both, -1, P) % P)


def x_of(y: int) -> int | None:
    """Return an x that belongs to y, None where y is of no point."""
    d = -121665 * pow(121666, -1, P) % P
    square = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    return x if x * x % P == square else None


def weak_ys() -> set[int]:
    """Return the y of all points whose order divides eight, found by arithmetic: any point, times the order of the group."""
    points = ((x, y) for y in range(2, 60) if (x := x_of(y)) is not None)
    return {times(ORDER, point)[1] for point in points}


def test_no_key_of_small_order_signs_anything() -> None:
    """One signature under such a key fits any manifest; all of them are refused, with both signs and in the other ways to write them."""
    found = weak_ys()
    assert 5 == len(found)
    written = {y + sign for y in found | {y + P for y in range(19)} for sign in (0, 2**255)}
    assert all(is_weak(key.to_bytes(32, "little")) for key in written)
    anything = (b"\1" + bytes(63)).hex()
    for key in written:
        with pytest.raises(ArchiveUntrusted, match="weak"):
            check_signature(signed(key=key.to_bytes(32, "little").hex(), signature=anything), MANIFEST)
    assert not any(is_weak(bytes.fromhex(SigningKey.new().public_hex)) for _ in range(100))


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
