"""The blueprint that the core's own operations hang on."""

from __future__ import annotations

from core.web.http_api.operations import Operations

api = Operations("api", __name__)
