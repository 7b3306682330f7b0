"""Every refusal of the core, under one root, with a stable code, an HTTP status and a title (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class AppkeepError(Exception):
    """Something was refused or failed; the message names the culprit and the way out.

    `code` is stable and made for programs, `status` is the HTTP status a page or the API answers with,
    `title` is the same for every error of the class, and so are the `headers` of such an answer. `details` are extra JSON values
    for programs.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as one JSON object."""
        return {"code": self.code, "title": self.title, "status": self.status, "detail": self.message, **self.details}


class NotFound(AppkeepError):
    """The thing does not exist, or belongs to another organization: the answer is the same."""

    code, status, title = "not_found", 404, "Not found"


class Forbidden(AppkeepError):
    """The person is known but may not do this."""

    code, status, title = "forbidden", 403, "Not allowed"


class InvalidInput(AppkeepError):
    """Something that came from outside does not have the form it must have."""

    code, status, title = "invalid_input", 422, "Invalid input"


class InvalidDocument(InvalidInput):
    """A document's body does not follow its kind's schema."""

    code, title = "invalid_document", "Invalid document"


class InvalidValue(InvalidInput):
    """A record's value does not fit its field."""

    code, title = "invalid_value", "Invalid value"


class Conflict(AppkeepError):
    """The thing is not in a state that allows this."""

    code, status, title = "conflict", 409, "Conflict"


class RunInProgress(Conflict):
    """A backup or restore of the app is queued or running already."""

    code, title = "run_in_progress", "Another run is in progress"


class RunLost(Conflict):
    """Another attempt took this run over, or it was ended: whatever this one holds must not be written."""

    code, title = "run_lost", "Run taken over"


class RunCancelled(Conflict):
    """Somebody asked for the run to be cancelled."""

    code, title = "run_cancelled", "Run cancelled"


class AppRestoring(Conflict):
    """The app is being restored: writes are refused until that has ended."""

    code, title = "app_restoring", "App is being restored"


class AppLeft(Conflict):
    """The app that was being made was given up, because its maker was silent for too long."""

    code, title = "app_left", "App was removed"


class TooManyRuns(AppkeepError):
    """The organization has as many runs of a kind waiting as it may: others wait for the same workers."""

    code, status, title = "too_many_runs", 429, "Too many at once"


class TooSoon(AppkeepError):
    """The last backup of the app is too recent."""

    code, status, title = "too_soon", 429, "Too soon"


class PlanChanged(Conflict):
    """The app changed since the plan was made."""

    code, title = "plan_changed", "The plan is out of date"


class OriginUnconfirmed(Conflict):
    """The backup comes from somewhere else and nobody confirmed that it may overwrite this app."""

    code, title = "origin_unconfirmed", "Origin not confirmed"


class ObjectLost(AppkeepError):
    """The store does not have an object as it was: it is missing or damaged."""

    code, status, title = "object_lost", 500, "Stored object lost"
    lost: Any = None
    """Which object of which organization it is, where that is known."""


class ObjectMissing(ObjectLost):
    """The store does not hold an object that it should."""

    code, status, title = "object_missing", 500, "Stored object missing"


class ObjectDamaged(ObjectLost):
    """The store holds an object whose bytes are not what they were."""

    code, status, title = "object_damaged", 500, "Stored object damaged"


class StorageFailed(AppkeepError):
    """The store cannot take an object: its disk is full, or it cannot be reached or written to."""

    code, status, title = "storage_failed", 507, "Storage failed"


class StoreUnavailable(AppkeepError):
    """The store cannot be reached or asked just now; nothing is known to be wrong with what lies in it."""

    code, status, title = "store_unavailable", 503, "Storage cannot be reached"


class DatabaseUnavailable(AppkeepError):
    """The database cannot be reached, or is too busy; nothing was changed."""

    code, status, title = "database_unavailable", 503, "The server is busy"


class NoTenant(AppkeepError):
    """A query on owned rows was made without saying for which organization: a mistake in the program."""

    code, status, title = "no_tenant", 500, "No organization chosen"


class PluginFailed(AppkeepError):
    """A plugin raised or returned something that its contract does not allow."""

    code, status, title = "plugin_failed", 500, "A plugin failed"


class ImportFailed(InvalidInput):
    """A file to import is not what it claims to be, or cannot be read."""

    code, title = "import_failed", "Import failed"


class TookTooLong(ImportFailed):
    """A file to import was not read in the time there was."""

    code, title = "import_too_slow", "Import took too long"
