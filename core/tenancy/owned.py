"""Whose a table's rows are: an organization's, or an app's and so an organization's."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, declared_attr, mapped_column


class Owned:
    """Mixin of tables whose rows belong to an organization."""

    organization_id: Mapped[str] = mapped_column(String(16), index=True)


class OwnedByApp:
    """Mixin of tables whose rows belong to an app; the primary key starts with `app_id`."""

    @declared_attr
    def app_id(cls) -> Mapped[str]:
        return mapped_column(String(16), ForeignKey("app.id", ondelete="CASCADE"), primary_key=True, sort_order=-1)


class ManyByApp(OwnedByApp):
    """Mixin of tables that have rows by the million: without a foreign key, which PostgreSQL asks for each row, half of a load's cost.

    Whoever writes such rows holds the app's row (`core.apps.locks`), and whoever removes an app removes them first.
    """

    @declared_attr
    def app_id(cls) -> Mapped[str]:
        return mapped_column(String(16), primary_key=True, sort_order=-1)
