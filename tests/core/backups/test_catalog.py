"""Renaming, pinning and deleting backups; the log of it; proofs of identity."""

from __future__ import annotations

import json

import pytest

from core.api import App, AppkeepError, Conflict, InvalidInput, NotFound, apps, db, direct, transaction
from core.backups import catalog, reauth, requests
from core.backups.catalog import find_backup
from core.backups.log import acts_of, note
from core.backups.models import Backup, RestoreProof
from core.backups.plan import Options
from core.base.time import moved
from tenants.service import user_by_email
from tests.web import PASSWORD


@pytest.fixture
def backup(app: App) -> Backup:
    """A backup of the app."""
    return direct.back_up(app)


def test_a_name_has_1_to_120_characters_and_no_control_characters(backup: Backup) -> None:
    """Anything else is refused and the name stays."""
    for wrong in ("", "x" * 121, "a\nb", "a\x7fb"):
        with pytest.raises(InvalidInput), transaction():
            catalog.rename(backup.id, wrong, "system")
    with transaction():
        catalog.rename(backup.id, "x" * 120, "system")
    assert "x" * 120 == find_backup(backup.id).name


def test_a_deleted_backup_is_gone_and_others_keep_what_they_share(backup: Backup) -> None:
    """The other backup of the same state is still whole."""
    backup_id = backup.id
    with moved(400):
        other = direct.back_up(apps.find(backup.app_id)).id
    with transaction():
        catalog.delete(backup_id, "system")
    with pytest.raises(NotFound):
        find_backup(backup_id)
    with transaction():
        run = requests.request_check(find_backup(other), "system", send=False).id
    assert "succeeded" == direct.finished(run).state


def test_a_pinned_backup_is_not_deleted(backup: Backup) -> None:
    """Unpinned, it is."""
    with transaction():
        catalog.pin(backup.id, "system", pinned=True)
    with pytest.raises(Conflict), transaction():
        catalog.delete(backup.id, "system")
    with transaction():
        catalog.pin(backup.id, "system", pinned=False)
        catalog.delete(backup.id, "system")


def test_a_backup_that_is_being_restored_is_not_deleted(app: App, backup: Backup) -> None:
    """The run that waits names it."""
    with transaction():
        requests.request_restore(app, backup, Options(backup=backup.id, config=True, data=True), "system", send=False)
    with pytest.raises(Conflict), transaction():
        catalog.delete(backup.id, "system")


def test_every_act_is_in_the_log_newest_first(backup: Backup) -> None:
    """With who, what and the names before and after; and no act that was rolled back."""
    before = backup.name
    with transaction():
        catalog.rename(backup.id, "Better", "u_1111111111")
    with pytest.raises(RuntimeError), transaction():
        catalog.rename(backup.id, "Never", "u_1111111111")
        raise RuntimeError
    with transaction():
        catalog.delete(backup.id, "system")
    acts = acts_of(backup.app_id)
    assert ["delete", "rename"] == [act.act for act in acts][:2]
    assert {"before": before, "after": "Better"} == json.loads(acts[1].detail)
    assert ["rename"] == [act.act for act in acts_of(backup.app_id, person="u_1111111111")]
    assert [acts[1].id] == [act.id for act in acts_of(backup.app_id, before=acts[0].id, most=1)]


def test_an_act_that_the_log_does_not_know_is_a_mistake(app: App) -> None:
    """So that the list of acts is whole."""
    with pytest.raises(ValueError):
        note("dance", app.id, "system")


@pytest.fixture
def owner(organization: str) -> str:
    """The id of the organization's owner, who has a password."""
    from tenants.passwords import hashed

    with transaction():
        user = user_by_email("owner@example.org")
        user.password_hash = hashed(PASSWORD)
        return user.id


def test_a_proof_serves_one_restore(app: App, owner: str) -> None:
    """The second use is refused, and so is any use for another person, app or plan."""
    token = reauth.prove(app.id, "p" * 64, owner, PASSWORD)
    for wrong in ((token, "a_2222222222", "p" * 64, owner), (token, app.id, "q" * 64, owner),
                  (token, app.id, "p" * 64, "u_2222222222"), ("x", app.id, "p" * 64, owner)):
        with pytest.raises(reauth.ProofNeeded), transaction():
            reauth.use(*wrong)
    with transaction():
        reauth.use(token, app.id, "p" * 64, owner)
    with pytest.raises(reauth.ProofNeeded), transaction():
        reauth.use(token, app.id, "p" * 64, owner)


def test_a_proof_expires_in_five_minutes(app: App, owner: str) -> None:
    """A second before it serves, a second after it does not."""
    token = reauth.prove(app.id, "p" * 64, owner, PASSWORD)
    with moved(301), pytest.raises(reauth.ProofNeeded), transaction():
        reauth.use(token, app.id, "p" * 64, owner)
    with moved(290), transaction():
        reauth.use(token, app.id, "p" * 64, owner)


def test_a_proof_is_not_used_up_by_what_fails(app: App, owner: str) -> None:
    """When the transaction that uses it is rolled back, it serves still."""
    token = reauth.prove(app.id, "p" * 64, owner, PASSWORD)
    with pytest.raises(RuntimeError), transaction():
        reauth.use(token, app.id, "p" * 64, owner)
        raise RuntimeError
    with transaction():
        reauth.use(token, app.id, "p" * 64, owner)


def test_five_failures_in_fifteen_minutes_lock_for_fifteen(app: App, owner: str) -> None:
    """The sixth try is refused even with the right password; after fifteen minutes it passes. Each is in the log."""
    app_id = app.id
    for _ in range(5):
        with pytest.raises(AppkeepError):
            reauth.prove(app_id, "p" * 64, owner, "wrong password")
    with pytest.raises(AppkeepError) as locked:
        reauth.prove(app_id, "p" * 64, owner, PASSWORD)
    assert 429 == locked.value.status
    with moved(15 * 60 + 1):
        reauth.prove(app_id, "p" * 64, owner, PASSWORD)
    results = [act.result for act in acts_of(app_id, act="identity")]
    assert (7, "done") == (len(results), results[0])


def test_confirmations_of_identity_leave_a_day_later(app: App, owner: str) -> None:
    """The next one removes them."""
    app_id = app.id
    reauth.prove(app_id, "p" * 64, owner, PASSWORD)
    with moved(25 * 3600):
        reauth.prove(app_id, "p" * 64, owner, PASSWORD)
        assert 1 == db.session.query(RestoreProof).count()


def test_a_confirmation_made_by_a_clock_far_ahead_is_good_for_nothing(app: App, owner: str) -> None:
    """It would be good until that day, and five minutes more."""
    app_id = app.id
    with moved(2 * 24 * 3600):
        token = reauth.prove(app_id, "p" * 64, owner, PASSWORD)
    with pytest.raises(reauth.ProofNeeded), transaction():
        reauth.use(token, app_id, "p" * 64, owner)
