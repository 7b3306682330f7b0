"""The second factor: a code is good once, nobody is half signed in, and who needs one gets nowhere without."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextvars import Context

import pyotp
import pytest
from flask import Flask

from core.api import API_ROOT, apps, as_server, as_tenant, db, now_us, transaction, unseal
from core.base.time import moved
from tenants import accounts, second_factor, service, verification
from tenants.errors import Locked, ProofRefused
from tenants.throttle import Origin
from tests.program import make_token
from tests.web import OWNER, PASSWORD, Browser, browser, make_organization, make_person, signed_in

STEP_S = second_factor.STEP_S


@pytest.fixture
def owner(sqlite_server: Flask) -> str:
    """The id of an organization's owner, who has a password."""
    person = make_person(OWNER, password=PASSWORD)
    make_organization("Acme")
    return person


def enrol(user_id: str) -> tuple[str, list[str]]:
    """Switch somebody's second factor on; return secret and recovery codes. The code of this step stays unused."""
    with transaction():
        secret = second_factor.begin(accounts.found(user_id))
        codes = second_factor.confirm(accounts.found(user_id), code(secret, -1))
    db.session.rollback()
    return secret, codes


def code(secret: str, steps: int = 0) -> str:
    """Return the code that a device shows now, or some steps away."""
    return pyotp.TOTP(secret).generate_otp(now_us() // 1_000_000 // STEP_S + steps)


def first_step(app: Flask) -> Browser:
    """Return a browser in which the password was right."""
    client = browser(app)
    assert "/sign-in/code" in client.post("/sign-in", data={"email": OWNER, "password": PASSWORD}).location
    return client


def together(app: Flask, act: Callable[[], object], times: int = 6) -> list[object]:
    """Do the same in several threads at once and return what each answered."""
    answers: list[object] = []
    barrier = threading.Barrier(times)

    def run() -> None:
        with app.app_context():
            barrier.wait()
            answers.append(act())

    threads = [threading.Thread(target=lambda: Context().run(run)) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_a_right_password_alone_signs_nobody_in(sqlite_server: Flask, owner: str) -> None:
    """Before the code there is no session at all, and every page still asks to sign in."""
    enrol(owner)
    client = first_step(sqlite_server)
    with client.session_transaction() as session:
        assert "_user_id" not in session
    assert "/sign-in?" in client.get("/account").location


def test_the_code_signs_in_and_goes_to_where_one_wanted(sqlite_server: Flask, owner: str) -> None:
    """Both steps keep the page that was asked for."""
    secret, _ = enrol(owner)
    client = browser(sqlite_server)
    answer = client.post("/sign-in?next=/account", data={"email": OWNER, "password": PASSWORD})
    answer = client.post(answer.location, data={"code": code(secret)})
    assert "/account" == answer.location
    assert 200 == client.get("/account").status_code


def test_a_code_is_good_once(sqlite_server: Flask, owner: str) -> None:
    """Whoever looks over a shoulder cannot use the code again, nor one from before it."""
    secret, _ = enrol(owner)
    used, before = code(secret, 1), code(secret, 0)
    assert 302 == first_step(sqlite_server).post("/sign-in/code", data={"code": used}).status_code
    for again in (used, before):
        assert 422 == first_step(sqlite_server).post("/sign-in/code", data={"code": again}).status_code


def test_a_code_used_by_many_at_once_lets_one_in(server: Flask) -> None:
    """The step is compared and set in the database, so that two processes cannot both take it."""
    with as_server(), transaction():
        user_id = service.create_user(OWNER, password=PASSWORD).id
    secret, codes = enrol(user_id)

    def take(given: str) -> Callable[[], object]:
        def act() -> object:
            user = accounts.found(user_id)
            db.session.expunge_all()
            db.session.rollback()
            with transaction():
                return second_factor.take(user, given)
        return act

    assert 1 == sum(answer == "totp" for answer in together(server, take(code(secret))))
    assert 1 == sum(answer == "recovery" for answer in together(server, take(codes[0])))


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_be_one_step_apart(sqlite_server: Flask, owner: str, steps: int, good: bool) -> None:
    """A code of the step before or after is taken, no other."""
    with moved(-10 * STEP_S):
        secret, _ = enrol(owner)
    with transaction():
        assert good == second_factor.take_totp(accounts.found(owner), code(secret, steps))


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "١٢٣٤٥٦", "abcdef", "-12345", "12 34 5"])
def test_what_is_no_code_is_refused(sqlite_server: Flask, owner: str, typed: str) -> None:
    """Anything but six digits is no code."""
    enrol(owner)
    with transaction():
        assert second_factor.take(accounts.found(owner), typed) is None


def test_a_recovery_code_signs_in_once(sqlite_server: Flask, owner: str) -> None:
    """Capital letters and missing hyphens do not matter; using it again does."""
    _, codes = enrol(owner)
    typed = codes[3].upper().replace("-", " ")
    assert 302 == first_step(sqlite_server).post("/sign-in/code", data={"code": typed}).status_code
    assert 422 == first_step(sqlite_server).post("/sign-in/code", data={"code": codes[3]}).status_code
    db.session.rollback()
    assert 9 == second_factor.recovery_codes_left(accounts.found(owner))


def test_the_database_holds_no_recovery_code(sqlite_server: Flask, owner: str) -> None:
    """They are kept as digests."""
    _, codes = enrol(owner)
    assert not any(one in (accounts.found(owner).recovery_codes or "") for one in codes)
    assert 10 == len(set(codes))


def test_five_wrong_codes_lock_the_second_step(sqlite_server: Flask, owner: str) -> None:
    """The right code is refused too, in whichever browser, for fifteen minutes."""
    secret, _ = enrol(owner)
    client = first_step(sqlite_server)
    for _ in range(5):
        client.post("/sign-in/code", data={"code": "000000"})
    assert "Too many wrong attempts" in first_step(sqlite_server).post("/sign-in/code", data={"code": code(secret)}).text
    with moved(15 * 60 + 1):
        assert 302 == first_step(sqlite_server).post("/sign-in/code", data={"code": code(secret)}).status_code


def test_many_guesses_at_once_are_no_more_than_five(sqlite_server: Flask, owner: str) -> None:
    """Guesses are counted before they are looked at."""
    looked: list[int] = []

    def act() -> object:
        try:
            return verification.guess("code", owner, lambda: bool(looked.append(1)), Origin("somewhere"))
        except Locked:
            return "locked"

    for _ in range(3):
        together(sqlite_server, act)
    assert len(looked) <= 5


def test_the_second_step_is_over_after_five_minutes(sqlite_server: Flask, owner: str) -> None:
    """A browser left at the second step does not wait there for ever."""
    secret, _ = enrol(owner)
    client = first_step(sqlite_server)
    with moved(301):
        assert "/sign-in" == client.post("/sign-in/code", data={"code": code(secret)}).location


def test_a_new_password_ends_a_second_step_of_the_old_one(sqlite_server: Flask, owner: str) -> None:
    """Whoever knew the old password has half signed in for nothing."""
    secret, _ = enrol(owner)
    client = first_step(sqlite_server)
    with transaction():
        service.set_password(accounts.found(owner), "another good one")
    assert "/sign-in" == client.post("/sign-in/code", data={"code": code(secret)}).location


def test_nobody_comes_to_the_second_step_without_the_first(sqlite_server: Flask, owner: str) -> None:
    """A right code alone is nothing."""
    secret, _ = enrol(owner)
    assert "/sign-in" == browser(sqlite_server).post("/sign-in/code", data={"code": code(secret)}).location


def shown_secret(client: Browser) -> str:
    """Return the secret that the page of the second factor shows."""
    found = re.search(r'<code class="secret">(\w+)</code>', client.get("/account/second-factor").text)
    assert found
    return found[1]


def test_enrolling_takes_password_and_code_and_ends_other_sessions(sqlite_server: Flask, owner: str) -> None:
    """Ten recovery codes are shown this once; who came in by password alone is out, this browser stays."""
    here, there = signed_in(sqlite_server, second_factor=False), signed_in(sqlite_server, second_factor=False)
    secret = shown_secret(here)
    for wrong in ({"code": code(secret), "password": "not it, no"}, {"code": "000000", "password": PASSWORD}):
        assert 422 == here.post("/account/second-factor", data=wrong).status_code
    page = here.post("/account/second-factor", data={"code": code(secret), "password": PASSWORD}).text
    codes = re.findall(r"<code>([\w-]+)</code>", page)
    assert 10 == len(codes)
    assert (200, 302) == (here.get("/account").status_code, there.get("/account").status_code)
    assert codes[0] not in here.get("/account/second-factor").text


def test_the_page_shows_a_picture_without_a_script_or_another_server(sqlite_server: Flask, owner: str) -> None:
    """The QR code is drawn into the page."""
    client = signed_in(sqlite_server, second_factor=False)
    page = client.get("/account/second-factor").text
    assert "<svg" in page
    assert "otpauth:" not in page


def test_switching_off_takes_password_and_code(sqlite_server: Flask, owner: str) -> None:
    """An open browser alone does not take it away."""
    secret, codes = enrol(owner)
    client = signed_in(sqlite_server)
    for wrong in ({"password": PASSWORD, "code": "000000"}, {"password": "not it, no", "code": codes[0]}, {"password": PASSWORD}):
        assert 422 == client.post("/account/second-factor/off", data=wrong).status_code
    assert 302 == client.post("/account/second-factor/off", data={"password": PASSWORD, "code": code(secret)}).status_code
    db.session.rollback()
    assert not second_factor.enrolled(accounts.found(owner))


def test_moving_to_another_device_keeps_the_old_one_until_the_new_one_works(sqlite_server: Flask, owner: str) -> None:
    """A move that is not finished locks nobody out."""
    old, codes = enrol(owner)
    client = signed_in(sqlite_server)
    assert 302 == client.post("/account/second-factor/move", data={"password": PASSWORD, "code": codes[0]}).status_code
    new = shown_secret(client)
    assert 302 == first_step(sqlite_server).post("/sign-in/code", data={"code": code(old)}).status_code
    client.post("/account/second-factor", data={"password": PASSWORD, "code": code(new)})
    db.session.rollback()
    assert new == unseal(accounts.found(owner).totp_secret or "", f"second_factor/{owner}")


def require(name: str = "Acme") -> str:
    """Let an organization ask for a second factor; return its id."""
    with as_server(), transaction():
        found = service.find_organization(name)
        found.second_factor_required = True
        return found.id


def test_who_needs_a_second_factor_gets_to_no_page_without(sqlite_server: Flask, owner: str) -> None:
    """Every page that asks who one is leads to where it is set up, also those of plugins; the API refuses their token."""
    organization_id = require()
    client, shown = signed_in(sqlite_server, second_factor=False), {"Authorization": f"Bearer {make_token(organization_id, owner)}"}
    tried = 0
    for rule in sqlite_server.url_map.iter_rules():
        needs = getattr(sqlite_server.view_functions[rule.endpoint], "needs", None)
        if needs is None or needs.name == "NOTHING" or rule.endpoint == "second_factor.show" or rule.rule.startswith("/portal/"):
            continue
        named = {name: organization_id if name == "organization_id" else next(iter(getattr(rule._converters[name], "items", "1")))
                 for name in rule.arguments}
        path = sqlite_server.url_map.bind("localhost").build(rule.endpoint, named, force_external=False)
        for method in (rule.methods or set()) & {"GET", "POST"}:
            of_token = path.startswith(API_ROOT)
            answer = client.open(path, method=method, headers=shown if of_token else {})
            led = (403, None) if of_token else (302, "/account/second-factor")
            assert led == (answer.status_code, answer.location), (method, path)
            tried += 1
    assert tried > 40


def test_who_is_led_there_may_enrol_and_go_on_or_sign_out(sqlite_server: Flask, owner: str) -> None:
    """The detour ends with the second factor, and is no trap."""
    organization_id = require()
    client = signed_in(sqlite_server, second_factor=False)
    secret = shown_secret(client)
    client.post("/account/second-factor", data={"code": code(secret), "password": PASSWORD})
    assert 200 == client.get(f"/o/{organization_id}/").status_code
    other = signed_in(sqlite_server, "other@example.org", second_factor=False)
    assert 302 == other.post("/sign-out").status_code


def test_a_required_second_factor_is_not_switched_off(sqlite_server: Flask, owner: str) -> None:
    """It may be moved, not dropped."""
    secret, _ = enrol(owner)
    require()
    answer = signed_in(sqlite_server).post("/account/second-factor/off", data={"password": PASSWORD, "code": code(secret)})
    assert (422, True) == (answer.status_code, "requires a second factor" in answer.text)


def test_proving_takes_a_code_of_who_is_enrolled_and_a_password_otherwise(sqlite_server: Flask, owner: str) -> None:
    """What later pages call before a restore."""
    verification.prove(accounts.found(owner), PASSWORD)
    secret, codes = enrol(owner)
    verification.prove(accounts.found(owner), code(secret))
    for refused in (code(secret), PASSWORD, codes[0]):
        with pytest.raises(ProofRefused):
            verification.prove(accounts.found(owner), refused)


def test_proving_is_counted_although_what_it_was_for_fails(sqlite_server: Flask, owner: str) -> None:
    """Inside a transaction it refuses to run: a rollback would take the count back."""
    with transaction(), pytest.raises(RuntimeError):
        verification.prove(accounts.found(owner), "anything")
    for _ in range(5):
        with pytest.raises(ProofRefused):
            verification.prove(accounts.found(owner), "not the password")
    with pytest.raises(Locked):
        verification.prove(accounts.found(owner), PASSWORD)


def test_how_many_are_without_one_is_counted_in_the_organization_only(sqlite_server: Flask, owner: str) -> None:
    """The settings page says how many would be led to enrolment."""
    make_organization("Other", "other@example.org")
    with as_tenant(service.find_organization("Acme").id):
        assert 1 == second_factor.without_one()


def test_an_admin_of_an_app_needs_one_without_being_a_member(sqlite_server: Flask, owner: str) -> None:
    """Who comes in by an app alone is led to set it up like a member, cannot turn it off, and is counted as without one."""
    admin = make_person("outside@example.org", password=PASSWORD)
    with as_server():
        organization_id = service.organizations_of(owner)[0][0].id
    with as_tenant(organization_id), transaction():
        service.name_admin(apps.create("Sales", owner), admin)
        service.find_organization(organization_id).second_factor_required = True
    with as_tenant(organization_id):
        assert 2 == second_factor.without_one()

    browser = signed_in(sqlite_server, "outside@example.org", second_factor=False)
    answer = browser.get("/account")
    assert (302, True) == (answer.status_code, "second-factor" in answer.location)
    assert ["Acme"] == second_factor.required_by(admin)
