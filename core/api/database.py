"""Tables, transactions, the wall between organizations, secrets at rest; and the errors that people read."""

from core.base.content import BrowsingFailed
from core.base.db import (
    Base,
    after_commit,
    batched,
    content_connection,
    db,
    driver,
    in_transaction,
    insert_once,
    reading,
    scratch,
    transaction,
)
from core.base.errors import (
    AppkeepError,
    AppRestoring,
    Conflict,
    Forbidden,
    ImportFailed,
    InvalidDocument,
    InvalidInput,
    InvalidValue,
    NotFound,
)
from core.base.time import iso, now_us
from core.tenancy.migrate import ensure_schema
from core.tenancy.owned import ManyByApp, Owned, OwnedByApp
from core.tenancy.request_cache import keeping, remembered
from core.tenancy.row_security import loading
from core.tenancy.sealing import SecretLost, reseal, seal, unseal
from core.tenancy.wall import as_server, as_tenant, every_organization, tenant
from core.tenancy.zones import zone_named, zone_of

__all__ = [
    "AppRestoring", "AppkeepError", "Base", "BrowsingFailed", "Conflict", "Forbidden", "ImportFailed", "InvalidDocument",
    "InvalidInput", "InvalidValue", "ManyByApp", "NotFound", "Owned", "OwnedByApp", "SecretLost", "after_commit", "as_server",
    "as_tenant", "batched", "content_connection", "db", "driver", "ensure_schema", "every_organization", "in_transaction",
    "insert_once", "iso", "keeping", "loading", "now_us", "reading", "remembered", "reseal", "scratch", "seal", "tenant", "transaction",
    "unseal", "zone_named", "zone_of",
]
