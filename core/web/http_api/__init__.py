"""The HTTP API: operations for programs, behind the same gate as pages, described by a document that they are made of."""

from core.web.http_api import apps, backups
from core.web.http_api.blueprint import api

__all__ = ["api", "apps", "backups"]
