"""Fixtures: programs that read and write a worksheet with a field of every type, by the words of its fields."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from core.api import Document, as_server, as_tenant, documents, transaction
from tenants.service import user_by_email
from tests.plugins.worksheets.web.making import PEOPLE, ROWS, SHEET, Desk, key_of, make_desk
from tests.program import Program, make_token

__all__ = ["PEOPLE", "ROWS", "SHEET", "Desk", "Records", "both", "desk", "edit_sheet", "named", "owner", "records_of"]


def named(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by the keys of their fields instead of their words."""
    return {key_of("f", word): value for word, value in values.items()}


@dataclass
class Records:
    """The records of one worksheet as one person's program sees them."""

    program: Program
    app: str
    sheet: str = SHEET

    @property
    def url(self) -> str:
        """The address of the records."""
        return f"{self.app}/worksheets/{self.sheet}/records"

    def make(self, status: int = 201, **values: Any) -> Any:
        """Create a record."""
        return self.program.send("POST", self.url, {"values": named(values)}, status=status)

    def change(self, number: int, /, status: int = 200, match: str | None = None, **values: Any) -> Any:
        """Change a record."""
        headers = {} if match is None else {"If_Match": f'"{match}"'}
        return self.program.send("PATCH", f"{self.url}/{number}", {"values": named(values)}, status=status, **headers)

    def get(self, number: int) -> Any:
        """Return a record."""
        return self.program.get(f"{self.url}/{number}")

    def refused(self, number: int, method: str = "GET") -> int:
        """Return the status with which an act on a record is refused."""
        return self.program.ask(method, f"{self.url}/{number}", **({"json": {"values": {}}} if method == "PATCH" else {})).status_code

    def batch(self, status: int = 200, **acts: Any) -> Any:
        """Do several things at once."""
        return self.program.send("POST", f"{self.url}/batch", acts, status=status)

    def ask(self, **query: Any) -> Any:
        """Return the answer to a question, refused or not."""
        return self.program.ask("GET", self.url, query_string=query)

    def numbers(self, **query: Any) -> list[int]:
        """Return the numbers of a page of records."""
        return [one["number"] for one in self.program.get(self.url, **query)["items"]]

    def walk(self, **query: Any) -> list[int]:
        """Return the numbers of all records that fit a question, page by page."""
        found: list[int] = []
        while True:
            page = self.program.get(self.url, **query)
            found += [one["number"] for one in page["items"]]
            if page["next"] is None:
                return found
            query["cursor"] = page["next"]


def records_of(desk: Desk, email: str = "owner@example.org", sheet: str = SHEET, organization_id: str = "",
               scopes: Collection[str] = ("read", "write")) -> Records:
    """Return the records of a worksheet as somebody's program sees them."""
    with as_server():
        person = user_by_email(email).id
    token = make_token(organization_id or desk.organization_id, person, scopes)
    return Records(Program(desk.server, token), f"/apps/{desk.app_id}", sheet)


def edit_sheet(desk: Desk, **body: object) -> None:
    """Change the worksheet's definition."""
    with as_tenant(desk.organization_id), transaction():
        was = documents.get(desk.app, f"worksheet/{SHEET}")
        documents.put(desk.app, Document(kind="worksheet", key=SHEET, body={**was.body, **body}, position=was.position), "system")


@pytest.fixture
def desk(sqlite_server: Flask) -> Desk:
    """An app with a worksheet of every type of field."""
    return make_desk(sqlite_server)


@pytest.fixture
def owner(desk: Desk) -> Records:
    """The owner's program."""
    return records_of(desk)


@pytest.fixture
def both(server: Flask) -> Records:
    """The owner's program, on each engine."""
    return records_of(make_desk(server))
