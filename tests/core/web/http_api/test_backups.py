"""An app goes out to a backup and comes back, by the API alone."""

from __future__ import annotations

import pytest

from tests.core.web.backups.conftest import Place
from tests.program import Program, make_token


def done(place: Place, program: Program, run: dict[str, object]) -> dict[str, object]:
    """Let the worker do a run, and return its report."""
    place.work()
    told = program.get(f"/runs/{run['run']}")
    assert "succeeded" == told["state"], told
    found: dict[str, object] = told["report"]
    return found


def test_an_app_goes_out_and_comes_back(place: Place, program: Program) -> None:
    """Backed up, changed, planned, restored, undone; with what each answer says followed as it is."""
    app = f"/apps/{place.app_id}"
    made = done(place, program, program.send("POST", f"{app}/backups", {"data": True, "name": "Before"}, status=202))
    assert ["Before"] == [one["name"] for one in program.get(f"{app}/backups")["items"]]
    backup = f"{app}/backups/{made['backup']}"
    assert "Companies" == place.name_of_sheet()
    place.change()
    plan = program.get(f"{backup}/plan", records="worksheet/w_Companies1")
    assert plan["records"]["worksheet/w_Companies1"]
    compared = program.get(f"{backup}/compare/app")
    assert [("worksheet/w_Companies1", 0, 1, 0)] == [(one["address"], one["added"], one["changed"], one["removed"])
                                                     for one in compared["collections"]]
    run = program.send("POST", f"{backup}/restore", {"plan": plan["plan"]}, status=202)
    done(place, program, run)
    assert "Companies" == place.name_of_sheet()
    undoing = program.get(f"{app}/runs/{run['run']}/undo")
    done(place, program, program.send("POST", f"{app}/runs/{run['run']}/undo", {"plan": undoing["plan"]}, status=202))
    assert "Firms" == place.name_of_sheet()


def test_a_plan_that_is_none_any_more_is_refused(place: Place, program: Program) -> None:
    """What nobody has seen is not done, and the refusal says what the plan is now."""
    backup = f"/apps/{place.app_id}/backups/{place.back_up()}"
    plan = program.get(f"{backup}/plan")["plan"]
    place.change()
    refused = program.send("POST", f"{backup}/restore", {"plan": plan}, status=409)
    assert "plan_changed" == refused["code"]
    program.send("POST", f"{backup}/restore", {"plan": refused["plan"]}, status=202)


def test_a_backup_is_kept_renamed_and_deleted(place: Place, program: Program) -> None:
    """As on its page: one that is pinned is not deleted, the only one needs to be asked for twice."""
    backup = f"/apps/{place.app_id}/backups/{place.back_up()}"
    changed = program.send("PATCH", backup, {"name": "Kept", "pinned": True})
    assert ("Kept", True) == (changed["name"], changed["pinned"])
    assert "pinned" in program.send("DELETE", backup, status=409)["detail"]
    program.send("PATCH", backup, {"pinned": False})
    assert "only backup" in program.send("DELETE", backup, status=409)["detail"]
    program.send("DELETE", f"{backup}?sure=true", status=204)
    program.send("GET", backup, status=404)


def test_a_file_goes_out_and_comes_in(place: Place, program: Program) -> None:
    """Downloaded, in a range too, and uploaded in parts; what comes of it is the same state."""
    app = f"/apps/{place.app_id}"
    backup = program.get(f"{app}/backups/{place.back_up()}")
    raw = program.ask("GET", f"{app}/backups/{backup['backup']}/download/both").get_data()
    assert b"PK" == raw[:2]
    part = program.ask("GET", f"{app}/backups/{backup['backup']}/download/both", headers={"Range": "bytes=10-"})
    assert (206, raw[10:]) == (part.status_code, part.get_data())
    assert 416 == program.ask("GET", f"{app}/backups/{backup['backup']}/download/both", headers={"Range": "bytes=999999999-"}).status_code
    program.send("GET", f"{app}/backups/{backup['backup']}/download/all", status=422)
    begun = program.send("POST", f"{app}/uploads", {"name": "mine.appkeep.zip", "size": len(raw)}, status=201)
    upload, half = f"{app}/uploads/{begun['upload']}", len(raw) // 2
    for start, part in ((0, raw[:half]), (half, raw[half:])):
        answer = program.ask("PATCH", upload, data=part, content_type="application/octet-stream", headers={"Upload-Offset": str(start)})
        assert start + len(part) == answer.get_json()["received"]
    assert 409 == program.ask("PATCH", upload, data=b"x", content_type="application/octet-stream", headers={"Upload-Offset": "0"}).status_code
    report = done(place, program, program.send("POST", f"{upload}/finish", status=202))
    assert backup["content_id"] == program.get(f"{app}/backups/{report['backup']}")["content_id"]


def test_the_five_minutes_hold(place: Place, program: Program) -> None:
    """A second backup right after the first is refused, with when the next may be."""
    app = f"/apps/{place.app_id}"
    done(place, program, program.send("POST", f"{app}/backups", {}, status=202))
    refused = program.send("POST", f"{app}/backups", {}, status=429)
    assert ("too_soon", True) == (refused["code"], "next_at" in refused)


@pytest.mark.parametrize("scopes", [("read",), ("backup",), ("read", "write", "organization")])
def test_a_token_reaches_as_far_as_its_scopes(place: Place, scopes: tuple[str, ...]) -> None:
    """Only one with the scope *restore* restores."""
    backup = f"/apps/{place.app_id}/backups/{place.back_up()}"
    program = Program(place.server, make_token(place.organization_id, place.owner, scopes))
    refused = program.send("POST", f"{backup}/restore", {"plan": "x"}, status=403)
    assert ("scope_missing", "restore") == (refused["code"], refused["scope"])
