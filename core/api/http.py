"""The HTTP API: operations for programs, what they take and give, and the tokens that programs show."""

from core.web.bearer import SCOPES as API_SCOPES
from core.web.bearer import Bearer, new_token
from core.web.http_api.operations import APP as API_APP
from core.web.http_api.operations import ROOT as API_ROOT
from core.web.http_api.operations import Answer, Operations, PreconditionFailed, check_match, etag_of, object_schema, page_schema
from core.web.http_api.repeats import once

__all__ = [
    "API_APP",
    "API_ROOT",
    "API_SCOPES",
    "Answer",
    "Bearer",
    "Operations",
    "PreconditionFailed",
    "check_match",
    "etag_of",
    "new_token",
    "object_schema",
    "once",
    "page_schema",
]
