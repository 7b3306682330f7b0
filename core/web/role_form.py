"""The form of a role: a matrix over the documents of one kind, and flags on those of another, as the app has them now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.apps import documents
from core.server import server
from core.tenancy.models import App
from core.web.matrix import Flags, Form, Matrix, Row, Thing, flag_rows, read, read_flags, rows, things

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RoleShown:
    """A role's body with the rows that stand for it: those of the matrix, and those that have flags."""

    body: Body
    rows: list[Row]
    flagged: list[Row]


@dataclass(frozen=True, slots=True)
class RoleForm:
    """What the roles of a kind may be given: a `matrix` and `flags`. What the form does not show stays as it stands."""

    matrix: Matrix
    flags: Flags

    def shown(self, app: App, body: Body, *, everything: bool = False) -> RoleShown:
        """Return the rows for what the app has now; with *everything*, a document that the body does not name is wholly open."""
        return RoleShown(body, rows(self.matrix, body.get(self.matrix.listed, ()), _things(app, self.matrix.of), everything=everything),
                         flag_rows(self.flags, body.get(self.flags.listed, ()), _things(app, self.flags.of)))

    def read(self, app: App, body: Body, form: Form, *, everything: bool = False) -> dict[str, Any]:
        """Return what the form says of a role, by property of its body: its description, the entries of the matrix, those with flags."""
        found = self.shown(app, body, everything=everything)
        return {"description": form.get("description", "").strip(),
                self.matrix.listed: read(self.matrix, form, body.get(self.matrix.listed, ()), found.rows),
                self.flags.listed: read_flags(self.flags, form, body.get(self.flags.listed, ()), found.flagged)}


def _things(app: App, kind: str) -> list[Thing]:
    return things(documents.live(app, kind), server().registry.kind(kind)[1])
