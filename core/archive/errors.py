"""What can be wrong with a backup file: each refusal says what and where."""

from __future__ import annotations

from core.base.errors import AppkeepError


class ArchiveError(AppkeepError):
    """A backup file was refused; nothing of it was used."""

    code, status, title = "archive_refused", 422, "Backup file refused"


class NotAnArchive(ArchiveError):
    """The file is something else."""

    code, title = "not_an_archive", "Not a backup file"


class ArchiveDamaged(ArchiveError):
    """The file is not what its writer wrote, byte for byte, or contradicts itself."""

    code, title = "archive_damaged", "Backup file damaged"


class ArchiveTooLarge(ArchiveError):
    """Something in the file is larger than this server takes."""

    code, status, title = "archive_too_large", 413, "Backup file too large"


class ArchiveNeedsNewer(ArchiveError):
    """The file was written by a newer version, or needs something that this server does not have."""

    code, title = "needs_newer_version", "Newer version needed"


class ArchiveUntrusted(ArchiveError):
    """The signature does not fit the manifest."""

    code, title = "untrusted_signature", "Signature does not fit"
