"""Records that are alike, counted by the database: exactly, as far as one may read them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from core.api import App, Document, RecordsAsked, apps, documents, server, transaction
from plugins.worksheets import service
from plugins.worksheets.query import counting
from tenants import service as tenants
from tests.web import make_member

SHEET = "worksheet/w_1111111111"
KIND, SUM, MADE = (f"f_{n}111111111" for n in "123")
CHOICES = [{"key": f"o_{n}111111111", "name": name} for n, name in (("1", "Red"), ("2", "Blue"))]


@pytest.fixture
def sums(organization: str) -> tuple[App, str]:
    """A worksheet of 600 records with a choice, a number with decimals and a formula; and somebody who manages it."""
    with transaction():
        app = apps.create("Sums", "system")
        documents.put(app, Document(kind="worksheet", key="w_1111111111", position=0, body={"name": "Sums", "fields": [
            {"key": KIND, "type": "single_select", "name": "Kind", "options": {"choices": CHOICES}},
            {"key": SUM, "type": "currency", "name": "Sum", "options": {"decimals": 2, "currency": "EUR"}},
            {"key": MADE, "type": "formula", "name": "Made", "options": {"expression": f"{{{SUM}}} * 2", "uses": [{"ref": f"{SHEET}/field/{SUM}"}]}}]}),
            "system")
        records = [{"values": {**({KIND: CHOICES[n % 2]["key"]} if n % 3 else {}), SUM: f"{n % 7}.10"}} for n in range(600)]
        service.put_records(app, "w_1111111111", records, "system")
    person = make_member(organization, "mia@example.org")
    with transaction():
        tenants.name_admin(apps.find(app.id), person)
    return apps.find(app.id), person


def asked(app: App, person: str, *fields: str, **more: Any) -> Any:
    """Return what is given of records that are alike."""
    return server().registry.hook.records_for(app=app, person=person, asked=RecordsAsked(worksheet=SHEET, fields=fields, distinct=True, **more))


def test_records_that_are_alike_are_given_once(sums: tuple[App, str]) -> None:
    """With how many they are, and their texts."""
    given = asked(*sums, KIND, SUM)
    wanted = Counter(("" if n % 3 == 0 else "Red" if n % 2 == 0 else "Blue", f"{n % 7}.10") for n in range(600))
    assert {(one.texts.get(KIND, ""), one.values[SUM]): one.count for one in given.records} == wanted
    assert (given.total, given.more, len(given.records)) == (600, False, len(wanted))
    assert [(one.values, one.count) for one in asked(*sums).records] == [({}, 600)]
    few = asked(*sums, KIND, filter={"field": {"ref": f"{SHEET}/field/{SUM}"}, "operator": "is", "value": "0.10"})
    assert sum(one.count for one in few.records) == 86


def test_what_the_database_cannot_tell_is_given_record_by_record(sums: tuple[App, str]) -> None:
    """A computed field: each by itself."""
    given = asked(*sums, KIND, MADE)
    assert {one.count for one in given.records} == {1} and len(given.records) == 100 and given.more


def test_beyond_the_bound_it_says_so(sums: tuple[App, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """How many were counted."""
    monkeypatch.setattr(counting, "MAX_DISTINCT", 250)
    given = asked(*sums, KIND)
    assert (given.total, given.more, sum(one.count for one in given.records)) == (250, True, 250)
    assert asked(*sums).more
