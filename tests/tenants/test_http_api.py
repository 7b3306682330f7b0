"""The API on an organization: its plan and usage, and its log, for programs of owners and admins."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask

from core.api import App, apps, as_tenant, now_us, transaction
from core.base.time import iso, moved
from tenants import audit, quota, service, usage
from tests.program import Program, make_token
from tests.web import OWNER, make_member, make_organization, make_person


@pytest.fixture
def owner(server: Flask, organization: str) -> str:
    """The id of the organization's owner."""
    return service.user_by_email(OWNER).id


@pytest.fixture
def program(server: Flask, organization: str, owner: str) -> Program:
    """A program of the owner's."""
    return Program(server, make_token(organization, owner, ["organization"], name="Reports"))


def uploaded(organization: str, size: int, purpose: str, app_id: str | None) -> None:
    """Have something uploaded."""
    quota.reserve(organization, size, f"r{size}")
    with transaction():
        quota.settle(organization, size, f"r{size}", purpose, app_id)


def test_usage_is_told_to_the_byte(server: Flask, organization: str, app: App, program: Program) -> None:
    """By month and by app, as the page has it; what is set aside is not used yet."""
    app_id, name = app.id, app.name
    uploaded(organization, 300, "attachment", app_id)
    uploaded(organization, 700, "backup", app_id)
    uploaded(organization, 50, "attachment", None)
    quota.reserve(organization, 9, "r9")
    told = program.get("/usage")
    with as_tenant(organization):
        figures = usage.figures()
    limit = figures.quota.limit
    assert {"limit_bytes": limit, "used_bytes": 1050, "reserved_bytes": 9, "left_bytes": limit - 1059} == told["quota"]
    assert [{"app": app_id, "name": name, "attachments_bytes": 300, "backups_bytes": 700},
            {"app": None, "name": "Not in an app", "attachments_bytes": 50, "backups_bytes": 0}] == told["apps"]
    month = datetime.fromtimestamp(now_us() / 1_000_000, UTC).month
    assert list(range(1, 13)) == [one["month"] for one in told["months"]]
    assert {"month": month, "attachments_bytes": 350, "backups_bytes": 700} == told["months"][month - 1]
    assert ("ultimate", [told["year"]]) == (told["plan"], told["years"])


def test_another_year_is_asked_for(program: Program) -> None:
    """One without uploads has none; what is no year is refused."""
    told = program.get("/usage", year=2001)
    assert (2001, 0, []) == (told["year"], told["quota"]["used_bytes"], told["apps"])
    for wrong in ("1999", "10000", "last", "-2001", "2001.5", "٢٠٢٥", ""):
        assert 422 == program.ask("GET", "/usage", query_string={"year": wrong}).status_code
    assert 422 == program.ask("GET", "/usage", query_string={"month": "1"}).status_code


def test_an_app_that_was_deleted_is_named_as_such(server: Flask, organization: str, app: App, program: Program) -> None:
    """What it had uploaded stays counted."""
    app_id = app.id
    uploaded(organization, 300, "attachment", app_id)
    with transaction():
        apps.delete(apps.find(app_id))
    (told,) = program.get("/usage")["apps"]
    assert app_id == told["app"] and told["name"].endswith("(deleted)")


def write(count: int, owner: str, act: str = "department_added") -> None:
    """Write entries into the log."""
    with transaction():
        for number in range(count):
            audit.audit(act, f"department/d_{number}", by=owner, name=str(number))


def test_the_log_comes_newest_first_in_pages(organization: str, owner: str, program: Program) -> None:
    """Each entry once, whatever is added meanwhile; none of another organization."""
    write(7, owner)
    with as_tenant(make_organization("Other", "other@example.org")), transaction():
        audit.audit("department_added", "department/d_1", name="theirs")
    seen, cursor = [], None
    while True:
        page = program.get("/log", act="department_added", limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [one["detail"]["name"] for one in page["items"]]
        write(1, owner)
        cursor = page["next"]
        if cursor is None:
            break
    assert [str(number) for number in reversed(range(7))] == seen
    assert None is program.get("/log", act="department_added", limit=200)["next"]


def test_an_entry_says_what_the_page_says(server: Flask, organization: str, owner: str, program: Program) -> None:
    """Who, what, to what, from where, and by which token."""
    writer = Program(server, make_token(organization, owner, ["write"], name="Builder"))
    made = writer.send("POST", "/apps", {"name": "Sales"}, status=201)
    (entry,) = program.get("/log", act="app_made")["items"]
    assert {"person": owner, "act": "app_made", "title": "App created", "subject": f"app/{made['app']}", "address": "127.0.0.1",
            "detail": {"name": "Sales", "by_token": "Builder"}} == {name: value for name, value in entry.items() if name not in ("id", "at")}
    assert entry["at"] == iso(int(datetime.fromisoformat(entry["at"]).timestamp() * 1_000_000))


def test_the_log_is_filtered_by_person(organization: str, owner: str, program: Program) -> None:
    """By id or email: what they did and what was done to them. Nobody's email finds nothing, whoever else has one."""
    member = make_member(organization, "mia@example.org")
    make_person("elsewhere@example.org")
    with transaction():
        audit.audit("role_changed", f"user/{member}", by=owner, before="member", after="admin")
        audit.audit("second_factor_on", f"user/{member}", by=member)
    for person in (member, "mia@example.org", "MIA@example.org "):
        assert ["second_factor_on", "role_changed"] == [one["act"] for one in program.get("/log", person=person)["items"]]
    for person in ("nobody@example.org", "elsewhere@example.org", "u_ZZZZZZZZZZ", "'--", "%"):
        assert {"items": [], "next": None} == program.get("/log", person=person)


def test_the_log_is_filtered_by_moment(owner: str, program: Program) -> None:
    """At or after, and before; any time zone, to the microsecond."""
    with moved(-3 * 86400):
        write(1, owner)
    write(1, owner, "org_role_added")
    middle = iso(now_us() - 86_400_000_000)
    acts = {"act": "department_added"}, {"act": "org_role_added"}
    assert [0, 1] == [len(program.get("/log", since=middle, **act)["items"]) for act in acts]
    assert [1, 0] == [len(program.get("/log", until=middle, **act)["items"]) for act in acts]
    (entry,) = audit.entries(act="department_added")
    exact = datetime.fromtimestamp(entry.at / 1_000_000, UTC).replace(microsecond=entry.at % 1_000_000)
    for text in (exact.isoformat(), exact.isoformat().replace("+00:00", "z").replace("T", "t"),
                 exact.astimezone(datetime.strptime("+0530", "%z").tzinfo).isoformat()):
        assert 1 == len(program.get("/log", since=text, act="department_added")["items"]), text
        assert 0 == len(program.get("/log", until=text, act="department_added")["items"]), text


@pytest.mark.parametrize("wrong", [
    {"since": "yesterday"}, {"since": "2026-03-10"}, {"since": "2026-02-30T00:00:00Z"}, {"since": "2026-03-10T00:00:00"},
    {"until": "2026-03-10T25:00:00Z"}, {"until": "2026-03-10T23:59:60Z"}, {"until": "2026-03-10T00:00:00+99:99"}, {"since": ""},
    {"since": "2026-03-10T00:00:00 02:00"}, {"until": "2026-03-10T00:00:00Z\n"}, {"until": "0000-01-01T00:00:00Z"}, {"act": "nothing"},
    {"limit": "0"}, {"limit": "201"}, {"limit": "ten"}, {"cursor": "x"}, {"cursor": "9" * 30}, {"cursor": "-1"}, {"cursor": "٣"},
    {"person": "x" * 255}, {"before": "3"},
])
def test_what_cannot_be_asked_is_refused(program: Program, wrong: dict[str, str]) -> None:
    """With the parameter's name, and never by a failure."""
    refused = program.ask("GET", "/log", query_string=wrong)
    assert 422 == refused.status_code, refused.get_data(as_text=True)
    assert next(iter(wrong)) == refused.get_json()["parameter"]


def test_far_away_moments_are_moments(program: Program) -> None:
    """The first and the last that can be written."""
    for text in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59"):
        for name in ("since", "until"):
            program.get("/log", **{name: text})


@pytest.mark.parametrize("path", ["/usage", "/log"])
def test_only_owners_and_admins_ask(server: Flask, organization: str, app: App, path: str) -> None:
    """With the scope for it; a member is refused, and to an app admin from elsewhere nothing is there."""
    app_id = app.id
    people = {role: make_member(organization, f"{role}@example.org", role) for role in ("admin", "member")}
    people["outside"] = make_person("ext@example.net")
    with transaction():
        service.name_admin(apps.find(app_id), people["outside"])
    programs = {who: Program(server, make_token(organization, person)) for who, person in people.items()}
    assert {"admin": 200, "member": 403, "outside": 404} == {who: one.ask("GET", path).status_code for who, one in programs.items()}
    lacking = Program(server, make_token(organization, people["admin"], ["read", "write", "backup", "restore"]))
    assert "scope_missing" == lacking.send("GET", path, status=403)["code"]
    assert 401 == Program(server, "akt_" + "0" * 60).ask("GET", path).status_code
