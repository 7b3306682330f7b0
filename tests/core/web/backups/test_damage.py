"""What pages say where content is lost: on the run, on each backup that needs it, on the list and on the app's home, each with a way out."""

from __future__ import annotations

import io
from collections.abc import Collection
from pathlib import Path

from core.api import apps, as_tenant, direct, transaction
from core.backups import ingest
from core.backups.catalog import find_backup
from core.base.time import moved, now_us
from core.runs.service import request, work
from core.server import server
from tenants.notifications import inbox
from tests.core.web.backups.conftest import Place, words
from tests.web import make_member, signed_in


def packs() -> set[Path]:
    """Return all that lies in the store."""
    return set((server().config.home_path / "objects").rglob("packs/*.zst"))


def lose_all(kept: Collection[Path] = ()) -> None:
    """Remove everything from the store but what is kept."""
    for path in packs() - set(kept):
        path.unlink()


def test_the_run_and_the_backups_name_what_else_is_affected_and_what_to_do(place: Place) -> None:
    """Those of apps that one may open by name, with a link; others are only counted."""
    first = place.back_up(name="First")
    with moved(400):
        second = place.back_up(name="Second")
    with as_tenant(place.organization_id):
        with transaction():
            mine, theirs = apps.create("Mine", place.owner).id, apps.create("Theirs", "system").id
        content = direct.file_of(find_backup(first))
        copies = [ingest.upload(io.BytesIO(content), apps.find(app_id), place.owner, name).id
                  for app_id, name in ((mine, "My copy"), (theirs, "Their secret"))]
    lose_all()
    run = place.post(f"/{first}/check").headers["Location"]
    assert ["failed"] == place.work()
    shown = place.browser.get(run).get_data(as_text=True)
    assert "This also affects 3 other backups: My copy of Mine, Second and 1 of other apps." in words(place.browser.get(run)).replace(" ,", ",").replace(" .", ".")
    assert f"/apps/{mine}/manage/backups/{copies[0]}" in shown and f"{place.root}/{second}" in shown
    assert "Their secret" not in shown and theirs not in shown and copies[1] not in shown
    assert "Back up now: what is still in the app is stored again" in words(place.browser.get(run)) and f'href="{place.root}/new"' in shown
    for backup in (first, second):
        page = place.text(f"/{backup}")
        assert "This backup is damaged." in page and "This also affects 3 other backups" in page and "Back up now" in page
    assert "There is no good backup: all are damaged." in place.text()
    home = words(place.browser.get(f"/o/{place.organization_id}/apps/{place.app_id}/"))
    assert "all are damaged" in home and "Back up now" in home


def test_what_was_lost_and_is_stored_again_says_to_check_it(place: Place) -> None:
    """Once a look has seen that nothing is missing."""
    before = packs()  # files, which an app does not hold itself
    backup = place.back_up()
    lose_all(before)
    place.post(f"/{backup}/check")
    place.work()
    with moved(400):
        place.back_up()
        with as_tenant(place.organization_id):
            with transaction():
                run_id = request("look", None, {}, "system", send=False).id
            work(run_id)
        page = place.text(f"/{backup}")
        assert "What it lacked has been stored again since. Check it" in page and "Check now" in page
        place.post(f"/{backup}/check")
        place.work()
        assert "damaged" not in place.text(f"/{backup}")


def test_each_app_s_admins_are_told_of_their_own_backups(place: Place) -> None:
    """Once an app; whoever checks is told how many others are affected, and of none that is not theirs to know."""
    backup = place.back_up(name="First")
    with as_tenant(place.organization_id):
        person = make_member(place.organization_id, "other@example.org")
        with transaction():
            theirs = apps.create("Theirs", person).id
        for number in range(2):
            ingest.upload(io.BytesIO(direct.file_of(find_backup(backup))), apps.find(theirs), person, f"Copy {number}")
    lose_all()
    place.post(f"/{backup}/check")
    place.work()
    mine, others = inbox.items(place.owner)[0], inbox.items(person)[0]
    assert "A backup of “Sample CRM” is damaged" == mine.title
    assert "This also affects 2 other backups." in mine.text and "Theirs" not in mine.text and "Back up now" in mine.text
    assert "2 backups of “Theirs” are damaged" == others.title
    assert "“Copy 0”" in others.text and "Sample" not in others.text and others.path.endswith(f"/apps/{theirs}/manage/backups")


def test_a_look_tells_the_admins_of_the_apps_it_touches(place: Place) -> None:
    """Once: a look that finds the same again is told to nobody."""
    place.back_up(name="First")
    lose_all()
    for _ in range(2):
        with as_tenant(place.organization_id):
            with transaction():
                run_id = request("look", None, {}, "system", send=False).id
            work(run_id)
    assert ["A backup of “Sample CRM” is damaged"] == [item.title for item in inbox.items(place.owner) if item.kind == "check_failed"]


def test_a_quick_check_is_asked_for_on_the_backup_s_page(place: Place) -> None:
    """It says that nothing was read; the list says how the backup is proven, and that none was read whole."""
    backup = place.back_up()
    run = place.post(f"/{backup}/check", data={"quick": "1"}).headers["Location"]
    assert run == place.post(f"/{backup}/check", data={"quick": "1"}).headers["Location"] != place.post(f"/{backup}/check").headers["Location"]
    assert ["succeeded", "succeeded"] == place.work()
    assert "Everything is there." in words(place.browser.get(run)) and "Nothing was read." in words(place.browser.get(run))
    assert "Names and sizes only" in place.text("/logs")


def test_the_list_says_when_each_backup_was_last_proven_and_how(place: Place) -> None:
    """And warns, with a way out, while none is."""
    backup = place.back_up()
    assert "No backup has been read whole or restored on trial yet. Check now" in place.text()
    place.post(f"/{backup}/check", data={"deep": "1"})
    place.work()
    shown = place.text()
    assert "Verified Restored on trial today" in shown and "Newest proven backup:" in shown and "Check now" not in shown
    long_ago = now_us() - 45 * 86400 * 1_000_000
    with as_tenant(place.organization_id), transaction():
        row = find_backup(backup)
        row.created_at = row.deep_at = row.read_at = row.quick_at = long_ago
    shown = place.text()
    assert "The newest proven backup was made 45 days ago. Back up now" in shown and "Verified Restored on trial 45 days ago" in shown


def test_whoever_uses_an_app_hears_nothing_of_its_backups(place: Place) -> None:
    """Its home is for everybody, its backups are for admins."""
    from plugins.roles import service as roles
    from plugins.sample.keys import key

    person = make_member(place.organization_id, "mia@example.org")
    with as_tenant(place.organization_id), transaction():
        roles.assign(apps.find(place.app_id), key("r", "Reader"), f"user/{person}")
    home = words(signed_in(place.server, "mia@example.org").get(f"/o/{place.organization_id}/apps/{place.app_id}/"))
    assert "Companies" in home and "ackup" not in home
