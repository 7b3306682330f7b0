"""Secrets at rest: the database alone opens none of them; keys change; a lost key takes away what it sealed, and says so."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pyotp
import pytest
from alembic import command
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import text

from core.api import SecretLost, as_server, as_tenant, db, now_us, reseal, seal, transaction, unseal
from core.app import close_to_others
from core.cli.main import main
from core.tenancy import migrate
from core.tenancy.sealing import add_key
from tenants import accounts, second_factor
from tenants.notifications import webhooks
from tenants.notifications.deliveries import _called
from tenants.notifications.http_delivery import CallFailed
from tenants.notifications.models import Delivery
from tenants.service import user_by_email
from tests.conftest import fresh_database, opened_server
from tests.web import OWNER, PASSWORD, make_organization, make_person


@pytest.fixture
def place(server: Flask) -> tuple[str, str]:
    """An organization and its owner."""
    person = make_person(OWNER, password=PASSWORD)
    return make_organization("Example"), person


def enrol(person: str) -> tuple[str, list[str]]:
    """Switch a second factor on."""
    with as_server(), transaction():
        secret = second_factor.begin(accounts.found(person))
        before = pyotp.TOTP(secret).at(now_us() // 1_000_000 - 30)
        codes = second_factor.confirm(accounts.found(person), before)
    db.session.rollback()
    return secret, codes


def hook(organization_id: str, person: str) -> tuple[str, str]:
    """Make a webhook and return its id and secret."""
    with as_tenant(organization_id), transaction():
        webhook, secret = webhooks.add("https://hooks.example/", ["quota_full"], person)
        return webhook.id, secret


def now(secret: str) -> str:
    """Return the code of this moment."""
    return pyotp.TOTP(secret).at(now_us() // 1_000_000)


def sealed_of(person: str, webhook_id: str) -> tuple[str, str]:
    """Return what the database holds."""
    db.session.rollback()
    with as_server():
        return (db.session.execute(text("SELECT totp_secret FROM user_account WHERE id = :id"), {"id": person}).scalar_one(),
                db.session.execute(text("SELECT secret FROM webhook WHERE id = :id"), {"id": webhook_id}).scalar_one())


def test_the_database_holds_no_secret_in_clear(place: tuple[str, str]) -> None:
    """Neither a second factor's, begun or done, nor a webhook's; each opens where it belongs only."""
    organization_id, person = place
    secret, _ = enrol(person)
    webhook_id, webhook_secret = hook(organization_id, person)
    factor, signing = sealed_of(person, webhook_id)
    assert secret not in factor and webhook_secret not in signing
    assert secret == unseal(factor, f"second_factor/{person}")
    assert webhook_secret == unseal(signing, f"webhook/{webhook_id}")
    for other in ("second_factor/u_1111111111", f"webhook/{webhook_id}"):
        with pytest.raises(SecretLost):
            unseal(factor, other)
    with as_server():
        assert second_factor.take_totp(accounts.found(person), now(secret))


def test_what_was_changed_opens_no_more(place: tuple[str, str]) -> None:
    """One letter is enough; so is a text that was never sealed."""
    sealed = seal("secret", "x")
    for wrong in (sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:], "secret", "", "s1.", "s2" + sealed[2:]):
        with pytest.raises(SecretLost):
            unseal(wrong, "x")
    assert sealed != seal("secret", "x")


def test_a_key_is_changed_by_a_verb_and_everything_goes_on(place: tuple[str, str], home: Path, database_url: str) -> None:
    """All secrets are sealed with the new one; the one before opens for who is still at work, older ones are gone."""
    organization_id, person = place
    secret, _ = enrol(person)
    webhook_id, webhook_secret = hook(organization_id, person)
    before = sealed_of(person, webhook_id)
    environment = {"APPKEEP_HOME": str(home), "APPKEEP_DATABASE_URL": database_url}

    told = json.loads(CliRunner().invoke(main, ["keys", "rotate", "--json"], env=environment).stdout)

    after = sealed_of(person, webhook_id)
    assert (2, 0) == (told["resealed"], told["lost"])
    assert [told["key"]] * 2 == [sealed.split(".")[1] for sealed in after]
    assert webhook_secret == unseal(after[1], f"webhook/{webhook_id}") == unseal(before[1], f"webhook/{webhook_id}")
    with as_server():
        assert second_factor.take_totp(accounts.found(person), now(secret))
    add_key()
    with pytest.raises(SecretLost):
        unseal(before[1], f"webhook/{webhook_id}")
    assert webhook_secret == unseal(reseal(after[1], f"webhook/{webhook_id}"), f"webhook/{webhook_id}")


def test_both_secrets_of_a_webhook_are_sealed_and_change_their_key(place: tuple[str, str], home: Path, database_url: str) -> None:
    """The one before the newest, too; where its key is lost, the newest signs alone."""
    organization_id, person = place
    webhook_id, before = hook(organization_id, person)
    with as_tenant(organization_id), transaction():
        after = webhooks.rotate(webhooks.find(webhook_id))
    environment = {"APPKEEP_HOME": str(home), "APPKEEP_DATABASE_URL": database_url}
    for _ in range(3):
        told = json.loads(CliRunner().invoke(main, ["keys", "rotate", "--json"], env=environment).stdout)
        assert (2, 0) == (told["resealed"], told["lost"])
    db.session.rollback()
    with as_tenant(organization_id):
        found = webhooks.find(webhook_id)
        assert [after, before] == webhooks.signing_secrets(found)
        assert found.previous_secret is not None and before not in found.previous_secret
        assert [told["key"]] * 2 == [sealed.split(".")[1] for sealed in (found.secret, found.previous_secret)]
        found.previous_secret = found.previous_secret.replace(told["key"], "00000000")
        assert [after] == webhooks.signing_secrets(found)


def test_a_lost_key_takes_away_what_it_sealed_only(place: tuple[str, str], home: Path) -> None:
    """A recovery code still signs in, a webhook says that it needs a new secret, and new secrets work."""
    organization_id, person = place
    secret, codes = enrol(person)
    webhook_id, _ = hook(organization_id, person)
    (home / "keys" / "secrets.key").unlink()

    with as_server(), transaction():
        user = accounts.found(person)
        with pytest.raises(SecretLost, match=r"keys/secrets\.key"):
            second_factor.take(user, now(secret))
        assert "recovery" == second_factor.take(user, codes[0])
    with as_tenant(organization_id):
        act = _called(Delivery(target=webhook_id, body="{}", kind="test", id="d_1"))
        assert act is not None
        with pytest.raises(CallFailed, match="new secret"):
            act()
    with as_tenant(organization_id), transaction():
        fresh = webhooks.rotate(webhooks.find(webhook_id))
    assert fresh == unseal(sealed_of(person, webhook_id)[1], f"webhook/{webhook_id}")
    with as_tenant(organization_id):
        assert [fresh] == webhooks.signing_secrets(webhooks.find(webhook_id))


def test_secrets_that_are_there_are_sealed_by_the_upgrade(engine: str, home: Path, request: pytest.FixtureRequest) -> None:
    """And open as before; an older version gets them back in clear."""
    for _ in opened_server(home, fresh_database(engine, home, request)):
        person = make_person(OWNER, password=PASSWORD)
        organization_id = make_organization("Example")
        secret, _codes = enrol(person)
        webhook_id, webhook_secret = hook(organization_id, person)
        with as_server():
            for step, revision in ((command.downgrade, "tenants_0005"), (command.upgrade, "tenants_0006"), (command.upgrade, "tenants_0009")):
                db.session.rollback()
                with db.engine.connect() as connection:
                    if engine == "sqlite":
                        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
                    step(migrate.alembic_config(connection), revision)
                    connection.commit()
                found = sealed_of(person, webhook_id)
                assert (revision == "tenants_0005") == ((secret, webhook_secret) == found)
        with as_tenant(organization_id):
            webhook = webhooks.find(webhook_id)
            assert ([webhook_secret], webhook.made_at) == (webhooks.signing_secrets(webhook), webhook.secret_made_at)
        assert (secret, webhook_secret) == (unseal(found[0], f"second_factor/{person}"), unseal(found[1], f"webhook/{webhook_id}"))
        assert user_by_email(OWNER).id == person


def test_the_home_folder_is_closed_to_other_users(tmp_path: Path) -> None:
    """Also one that an earlier version left open, with its database; and what a command writes."""
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    for name in ("appkeep.db", "appkeep.db-wal"):
        (home / name).touch()
        (home / name).chmod(0o644)
    close_to_others(home)
    assert [0o700, 0o600, 0o600] == [stat.S_IMODE(path.stat().st_mode) for path in (home, home / "appkeep.db", home / "appkeep.db-wal")]
    before = os.umask(0o022)
    try:
        CliRunner().invoke(main, ["settings"])
        assert 0o077 == os.umask(0o022)
    finally:
        os.umask(before)


@pytest.mark.parametrize("damage", ["", "banana", "name bm8=", "name ====="])
def test_a_damaged_file_of_keys_says_so(server: Flask, home: Path, damage: str) -> None:
    """It is not written over, and what is to be done is said."""
    with server.app_context():
        seal("x", "y")
        path = next(home.rglob("secrets.key"))
        path.write_text(damage)
        for act in (lambda: seal("x", "y"), add_key):
            with pytest.raises(SecretLost, match=r"keys/secrets.key .* is damaged. Restore it from a copy"):
                act()
        assert damage == path.read_text()
