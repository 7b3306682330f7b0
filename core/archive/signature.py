"""Signatures of backup files: Ed25519 over the manifest. A signature says who, never safe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.archive.canonical import NotCanonical, canonical, parse_canonical
from core.archive.errors import ArchiveDamaged, ArchiveUntrusted
from core.base.whole_file import write_whole

CONTEXT = b"appkeep-backup-v1\0"
_HEX = re.compile(r"[0-9a-f]+\Z")
_PRIME = 2**255 - 19
_WEAK_Y = frozenset((
    0, 1, _PRIME - 1,
    0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7))
"""The y of every point whose order divides eight: under such a key one signature fits any manifest."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A server's private key."""

    key: Ed25519PrivateKey

    @classmethod
    def new(cls) -> SigningKey:
        """Return a fresh key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load_or_make(cls, path: Path) -> SigningKey:
        """Return the key kept at *path*, made at first use, readable by its owner only."""
        try:
            return cls(Ed25519PrivateKey.from_private_bytes(path.read_bytes()))
        except FileNotFoundError:
            pass
        write_whole(path, Ed25519PrivateKey.generate().private_bytes_raw(), first=True)
        return cls(Ed25519PrivateKey.from_private_bytes(path.read_bytes()))

    @property
    def public_hex(self) -> str:
        """The public key, 64 hexadecimal digits."""
        return self.key.public_key().public_bytes_raw().hex()

    def sign(self, manifest: bytes) -> bytes:
        """Return the content of ``manifest.sig``."""
        signature = self.key.sign(CONTEXT + manifest).hex()
        return canonical({"algorithm": "ed25519", "key": self.public_hex, "signature": signature})


def check_signature(signature: bytes, manifest: bytes) -> str:
    """Return the public key, as 64 hexadecimal digits, that signed the manifest.

    Raises:
        ArchiveDamaged: the signature's file has another form.
        ArchiveUntrusted: it does not fit the manifest.
    """
    try:
        value = parse_canonical(signature)
    except NotCanonical as error:
        raise ArchiveDamaged(f"manifest.sig is {error}.") from None
    if not isinstance(value, dict) or value.keys() != {"algorithm", "key", "signature"} \
            or value["algorithm"] != "ed25519" or not _is_hex(value["key"], 64) or not _is_hex(value["signature"], 128):
        raise ArchiveDamaged("manifest.sig has another form than an Ed25519 signature of this format.")
    if is_weak(bytes.fromhex(value["key"])):
        raise ArchiveUntrusted("The key of the signature is a weak one, under which a signature proves nothing.")
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(value["key"]))
        key.verify(bytes.fromhex(value["signature"]), CONTEXT + manifest)
    except (InvalidSignature, ValueError):
        raise ArchiveUntrusted("The signature does not fit the manifest: the file was changed after it was made.") from None
    return str(value["key"])


def is_weak(key: bytes) -> bool:
    """Say whether a public key is a point of small order, or is written in another way than its only right one."""
    y = int.from_bytes(key, "little") & (2**255 - 1)  # the last bit is the sign of x
    return y >= _PRIME or y in _WEAK_Y


def _is_hex(value: object, length: int) -> bool:
    return isinstance(value, str) and len(value) == length and _HEX.match(value) is not None
