"""One backup: its page, rename, pin, check, delete, compare, restore as a new app. Each act is in the log."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from core.api import apps, as_tenant, db, direct, documents, transaction
from core.backups.log import acts_of
from core.backups.models import Backup
from core.base.time import moved
from core.objects.index import StoredObject, object_name
from core.objects.packs import pack_name
from core.runs.models import Run
from core.web.bin import binned
from tenants import service
from tests.core.web.backups.conftest import Place, words
from tests.web import make_member, signed_in


def test_the_page_tells_all_about_a_backup(place: Place) -> None:
    """What it holds of each part, its sizes, its state, who made it and when."""
    backup_id = place.back_up(name="Before the move")
    shown = place.text(f"/{backup_id}")
    for told in ("Before the move", "Manual Backup", "Configuration and data", "Records 200", "Not proven yet", "Worksheets 6 200", "by owner"):
        assert told in shown, told


def test_a_backup_is_renamed(place: Place) -> None:
    """Its new name stands in the list; the log has both."""
    backup_id = place.back_up(name="Old")
    answer = place.post(f"/{backup_id}/rename", data={"name": "  New <name> ü "})
    assert 303 == answer.status_code and ["New <name> ü"] == [b.name for b in place.backups()]
    assert "New &lt;name&gt; ü" in place.get().get_data(as_text=True)
    assert "“Old” became “New &lt;name&gt; ü”" in place.get("/logs").get_data(as_text=True)


@pytest.mark.parametrize("name", ["", "x" * 121, "a\nb", "a\x7fb"])
def test_a_wrong_name_is_refused_beside_its_field(place: Place, name: str) -> None:
    """The backup keeps its name; the refusal is in the log."""
    backup_id = place.back_up(name="Old")
    answer = place.post(f"/{backup_id}/rename", data={"name": name})
    assert 422 == answer.status_code and "1 to 120 characters" in words(answer)
    assert ["Old"] == [b.name for b in place.backups()]
    with as_tenant(place.organization_id):
        assert "invalid_input" == acts_of(place.app_id, act="rename")[0].result


def test_a_pinned_backup_is_not_deleted(place: Place) -> None:
    """The page says to unpin it first; unpinned, it goes."""
    backup_id = place.back_up(name="Kept")
    place.post(f"/{backup_id}/pin", data={"pinned": "1"})
    assert "· pinned" in place.text()
    refused = place.post(f"/{backup_id}/delete", data={"sure": "1"})
    assert 409 == refused.status_code and "“Kept” is pinned. Unpin it first." in words(refused)
    place.post(f"/{backup_id}/pin", data={"pinned": "0"})
    assert 303 == place.post(f"/{backup_id}/delete", data={"sure": "1"}).status_code and [] == place.backups()


def test_a_pinned_backup_can_be_unpinned_and_deleted_in_one_step(place: Place) -> None:
    """The page says on opening that it is pinned, and only the tick that says so lets it go; the log has both."""
    backup_id = place.back_up(name="Kept")
    place.post(f"/{backup_id}/pin", data={"pinned": "1"})
    shown = place.text(f"/{backup_id}/delete")
    assert "This backup is pinned." in shown and "Unpin and delete it" in shown
    assert 409 == place.post(f"/{backup_id}/delete", data={}).status_code and 1 == len(place.backups())
    assert 303 == place.post(f"/{backup_id}/delete", data={"sure": "unpin"}).status_code and [] == place.backups()
    with as_tenant(place.organization_id):
        assert [1, 1] == [len([one for one in acts_of(place.app_id, act=act) if one.result == "done"]) for act in ("unpin", "delete")]


def test_the_only_and_the_newest_good_backup_are_asked_for_twice(place: Place) -> None:
    """Any other goes by one click; a damaged newer one does not make the good one any less the newest."""
    made = []
    for n in range(3):
        with moved(400 * n):
            made.append(place.back_up())
    old, good, damaged = made
    with as_tenant(place.organization_id), transaction():
        db.session.execute(update(Backup).where(Backup.id == damaged).values(check_error="gone"))
    assert "newest good backup" in place.text(f"/{good}/delete") and "Delete it anyway" in place.text(f"/{good}/delete")
    refused = place.post(f"/{good}/delete")
    assert 409 == refused.status_code and "Tick this to delete the backup." in words(refused) and 3 == len(place.backups())
    assert [303, 303] == [place.post(f"/{one}/delete").status_code for one in (damaged, old)]
    assert "only backup of this app" in place.text(f"/{good}/delete")
    assert 409 == place.post(f"/{good}/delete").status_code
    assert 303 == place.post(f"/{good}/delete", data={"sure": "1"}).status_code and [] == place.backups()


def test_a_check_that_is_being_cancelled_or_looks_less_closely_is_not_the_one_asked_for(place: Place) -> None:
    """Asking again begins another."""
    backup_id = place.back_up()
    runs = [place.post(f"/{backup_id}/check").headers["Location"]]
    with as_tenant(place.organization_id), transaction():
        db.session.execute(update(Run).values(state="running", cancel_requested=True))
    runs += [place.post(f"/{backup_id}/check", data=form).headers["Location"] for form in ({}, {"deep": "1"}, {"deep": "1"})]
    assert 3 == len(set(runs)) and runs[2] == runs[3]


def test_a_backup_is_deleted_after_a_question(place: Place) -> None:
    """Asking changes nothing; afterwards its page answers 404, and the log keeps its name."""
    backup_id = place.back_up(name="Gone")
    assert "can then no longer be restored" in place.text(f"/{backup_id}/delete") and 1 == len(place.backups())
    place.post(f"/{backup_id}/delete", data={"sure": "1"})
    assert 404 == place.get(f"/{backup_id}").status_code
    assert "Gone Deleted" in place.text("/logs") and "No backups yet" in place.text()


def test_a_double_click_deletes_once_and_says_so(place: Place) -> None:
    """The second answer is that of the first; the log has one deletion."""
    backup_id = place.back_up(name="Gone")
    answers = [place.post(f"/{backup_id}/delete", data={"sure": "1"}) for _ in range(2)]
    assert [303, 303] == [answer.status_code for answer in answers]
    assert "“Gone” was deleted." in place.text()
    with as_tenant(place.organization_id):
        assert 1 == len(acts_of(place.app_id, act="delete"))


def test_a_double_click_makes_one_new_app(place: Place) -> None:
    """The second answer leads to the run of the first."""
    backup_id = place.back_up()
    runs = {place.post(f"/{backup_id}/copy", data={"name": "Twin"}).headers["Location"] for _ in range(2)}
    assert 1 == len(runs) and ["succeeded"] == place.work()


def test_a_new_app_asked_for_again_after_it_was_cancelled_is_a_new_run(place: Place) -> None:
    """What was cancelled a moment ago is no answer to who asks once more."""
    backup_id = place.back_up()
    first = place.post(f"/{backup_id}/copy", data={"name": "Twin"}).headers["Location"]
    place.browser.post(f"{first}/cancel")
    assert first != place.post(f"/{backup_id}/copy", data={"name": "Twin"}).headers["Location"]
    assert ["succeeded"] == place.work()


def test_a_sound_backup_is_found_whole(place: Place) -> None:
    """The list says when; asking twice checks once."""
    backup_id = place.back_up()
    first = place.post(f"/{backup_id}/check").headers["Location"]
    assert "Being checked" in place.text()
    assert first == place.post(f"/{backup_id}/check").headers["Location"]
    assert ["succeeded"] == place.work()
    assert "All verified." in words(place.browser.get(first))
    assert "Verified Read whole today" in place.text()


def test_a_damaged_backup_is_found_out(place: Place) -> None:
    """The run, the list and its page say so, and what to do."""
    backup_id = place.back_up()
    with as_tenant(place.organization_id):
        one = db.session.query(StoredObject).order_by(StoredObject.place.desc()).first()
        assert one is not None
        name = pack_name(place.organization_id, one.pack) if one.pack else object_name(place.organization_id, one.content)
        place.server.extensions["appkeep"].store.delete(name)
    run = place.post(f"/{backup_id}/check").headers["Location"]
    assert ["failed"] == place.work()
    assert "object_missing" in words(place.browser.get(run))
    assert "Damaged" in place.text() and "This backup is damaged." in place.text(f"/{backup_id}")
    restore = place.get(f"/{backup_id}/restore")
    assert restore.status_code < 500


def test_comparing_changes_nothing(place: Place) -> None:
    """Without a difference it says so; with one it shows what a restore would do, and the app stays as it is."""
    backup_id = place.back_up()
    assert "No differences" in place.text(f"/{backup_id}/compare")
    place.change()
    shown = place.text(f"/{backup_id}/compare")
    assert "Firms → Companies" in shown and "No differences" not in shown
    assert "Firms" == place.name_of_sheet()


def test_a_new_app_is_made_of_a_backup_and_seen_by_its_maker_only(place: Place) -> None:
    """It has the configuration and no records; its workflows are off; other members and admins of the first app do not see it."""
    make_member(place.organization_id, "member@example.org")
    make_member(place.organization_id, "admin@example.org", "admin")
    with as_tenant(place.organization_id), transaction():
        service.name_admin(apps.find(place.app_id), service.user_by_email("admin@example.org").id)
    backup_id = place.back_up()
    run = place.post(f"/{backup_id}/copy", data={"name": "Twin"}).headers["Location"]
    assert ["succeeded"] == place.work()
    shown = place.browser.get(run).get_data(as_text=True)
    with as_tenant(place.organization_id):
        twin = next(app for app in apps.all_apps() if app.name == "Twin")
        assert 6 == len(documents.live(twin, "worksheet"))
        assert not any(d.body.get("enabled") for d in documents.live(twin, "workflow"))
        assert [] == binned(twin)
    address = f"/o/{place.organization_id}/apps/{twin.id}/"
    assert f'href="{address}"' in shown and 200 == place.browser.get(address).status_code
    others = [signed_in(place.server, f"{name}@example.org") for name in ("member", "admin")]
    assert [404, 404] == [one.get(address).status_code for one in others]
    assert address not in others[1].get(run).get_data(as_text=True)


def test_who_may_not_make_apps_makes_none_of_a_backup(place: Place) -> None:
    """An admin of the app who is a plain member is told whom to ask."""
    make_member(place.organization_id, "member@example.org")
    with as_tenant(place.organization_id), transaction():
        service.name_admin(apps.find(place.app_id), service.user_by_email("member@example.org").id)
    backup_id = place.back_up()
    member = signed_in(place.server, "member@example.org")
    assert "Only owners and admins of the organization" in words(member.get(f"{place.root}/{backup_id}/copy"))
    assert 403 == member.post(f"{place.root}/{backup_id}/copy", data={"name": "Twin"}).status_code
    assert [] == place.work()


def test_a_backup_of_another_app_is_not_there(place: Place) -> None:
    """Each of its addresses under this app answers 404."""
    with as_tenant(place.organization_id), transaction():
        other = apps.create("Other", place.owner)
    with as_tenant(place.organization_id):
        theirs = direct.back_up(apps.find(other.id)).id
    gets = ["", "/restore", "/compare", "/copy", "/delete", "/download/config"]
    posts = ["/restore", "/copy", "/delete", "/rename", "/pin", "/check"]
    codes = [place.get(f"/{theirs}{end}").status_code for end in gets] + [place.post(f"/{theirs}{end}").status_code for end in posts]
    assert {404} == set(codes)
