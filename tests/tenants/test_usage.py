"""The usage page: the ledger's numbers, to the byte, by month and by app, drawn and as tables."""

from __future__ import annotations

import io
import random
import re
from datetime import UTC, datetime

import pytest
from flask import Flask

from core.api import App, apps, as_tenant, direct, put_file, transaction
from tenants import quota, usage
from tenants.service import find_organization
from tests.web import make_member, make_organization, signed_in

MOMENTS = {"new year": datetime(2026, 1, 1, 0, 30, tzinfo=UTC), "june": datetime(2026, 6, 15, tzinfo=UTC)}


def settle(monkeypatch: pytest.MonkeyPatch, organization: str, at: datetime, size: int, purpose: str, app_id: str | None) -> None:
    """Count an upload at a moment."""
    with monkeypatch.context() as patch:
        patch.setattr(quota, "now_us", lambda: int(at.timestamp()) * 1_000_000)
        with transaction():
            quota.settle(organization, size, "q_1", purpose, app_id)


def test_figures_are_those_of_the_ledger(server: Flask, organization: str, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve months, each app, attachments and backups apart; a deleted app keeps what it used."""
    with transaction():
        other = apps.create("Other", "system").id
    settle(monkeypatch, organization, MOMENTS["new year"], 10, "attachment", app.id)
    settle(monkeypatch, organization, MOMENTS["june"], 200, "backup", app.id)
    settle(monkeypatch, organization, MOMENTS["june"], 3000, "attachment", other)
    settle(monkeypatch, organization, MOMENTS["june"], 40000, "attachment", None)
    with transaction():
        apps.delete(apps.find(other))
    found = usage.figures(2026)
    assert {"Jan": (10, 0), "Jun": (43000, 200)} == {m.name: (m.attachments, m.backups) for m in found.months if m.total}
    assert 12 == len(found.months)
    assert [("Not in an app", 40000), ("Other (deleted)", 3000), ("Sales", 210)] == [(a.name, a.total) for a in found.apps]
    assert 43210 == found.together.total == found.quota.used


def test_the_year_is_the_organizations_own(server: Flask, organization: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an hour into the year in London, it is still the old one in New York."""
    with transaction():
        find_organization(organization).time_zone = "America/New_York"
    settle(monkeypatch, organization, MOMENTS["new year"], 10, "attachment", None)
    assert (10, 0) == (usage.figures(2025).together.total, usage.figures(2026).together.total)
    assert ["Dec"] == [m.name for m in usage.figures(2025).months if m.total]
    assert 2025 in usage.figures().years


def test_bars_are_as_high_as_their_numbers() -> None:
    """The highest line is above the highest bar, and parts stand on each other."""
    months = [usage.Part(name, n * 1000, n * 500) for n, name in enumerate(usage.MONTHS)]
    drawing = usage.drawn(months)
    assert [0, 10_000, 20_000] == [size for _, size in drawing.lines]
    first, last = drawing.bars[1], drawing.bars[11]
    assert pytest.approx(last.first_height) == 11 * first.first_height
    assert pytest.approx(last.second_top + last.second_height) == last.first_top
    assert pytest.approx(usage.BASE) == last.first_top + last.first_height
    assert all(bar.second_top >= usage.TOP for bar in drawing.bars)
    assert [0.0] * 12 == [bar.first_height for bar in usage.drawn([usage.Part(m, 0, 0) for m in usage.MONTHS]).bars]


def test_the_page_says_the_same_numbers(server: Flask, organization: str, app: App) -> None:
    """Of a real upload and a real backup: the table's are the ledger's, and the chart has a bar of each."""
    name = app.name
    put_file(io.BytesIO(random.Random(1).randbytes(5000)), app.id)
    direct.back_up(app)
    now = quota.usage(organization)
    page = signed_in(server).get(f"/o/{organization}/plan").text
    assert f"Exactly {now.used:,} of 300,000,000,000 bytes" in page
    row = next(one for one in re.findall(r"<tr>.*?</tr>", page, re.S) if f'<th scope="row">{name}</th>' in one)
    both = [int(number.replace(",", "")) for number in re.findall(r">([\d,]+)</td>", row)]
    assert [5000 < both[0] < 5100, both[1] > 0, now.used] == [True, True, both[2]]
    assert ('<rect class="first"' in page, '<rect class="second"' in page) == (True, True)


@pytest.mark.parametrize(("used", "told"), [(79, None), (80, "80 % of the quota is used"), (100, "The quota is used up")])
def test_the_page_warns_at_80_and_100_percent(server: Flask, organization: str, used: int, told: str | None) -> None:
    """Not before."""
    with transaction():
        quota.settle(organization, 3 * 10**9 * used, "q_1", "attachment", None)
    page = signed_in(server).get(f"/o/{organization}/plan").text
    assert [told] if told else [] == [text for text in ("80 % of the quota is used", "The quota is used up") if text in page]


@pytest.mark.parametrize("year", ["2025", "0", "99999", "x", "-1", "9" * 18])
def test_any_year_can_be_asked_for(sqlite_server: Flask, year: str) -> None:
    """One in which nothing was uploaded is empty, one that is none is this one."""
    made = make_organization("Example")
    assert 200 == signed_in(sqlite_server).get(f"/o/{made}/plan?year={year}").status_code


def test_members_do_not_see_usage(sqlite_server: Flask) -> None:
    """It is for owners and admins; and each sees their own organization's."""
    made = make_organization("Example")
    with as_tenant(made), transaction():
        quota.settle(made, 123_456, "q_1", "attachment", None)
    make_member(made, "member@example.org")
    other = make_organization("Other", "other@example.org")
    assert 403 == signed_in(sqlite_server, "member@example.org").get(f"/o/{made}/plan").status_code
    assert "123,456" not in signed_in(sqlite_server, "other@example.org").get(f"/o/{other}/plan").text
