"""Links in mail: good once and for a while, for whom they were made; the answers tell nobody who is known here."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from core.api import App, apps, as_server, as_tenant, db, server, transaction
from core.base.config import Config
from core.base.time import moved
from tenants import accounts, email_tokens, invitations, mail, members, service
from tenants.errors import LinkSpent
from tenants.models import MailedLink, Membership
from tests.web import OWNER, PASSWORD, browser, make_member, make_organization, make_person, signed_in

NEW = "another good one"


@pytest.fixture
def organization_id(sqlite_server: Flask) -> str:
    """An organization whose owner has a password."""
    make_person(OWNER, password=PASSWORD)
    return make_organization("Acme")


def mails() -> list[tuple[str, str, str]]:
    """Return (to, subject, text) of all mails that were kept, in no order."""
    mail.finish()
    found = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in mail_folder().glob("*.eml")]
    return [(str(one["To"]), str(one["Subject"]), one.get_content()) for one in found]


def mail_folder() -> Path:
    """Return where mails are kept."""
    return server().config.home_path / "mail"  # type: ignore[no-any-return]


def link_in(kind: str) -> str:
    """Return the path of the link in the only mail that has one of this kind."""
    found = [match[1] for _, _, text in mails() if (match := re.search(rf"http://[^/]+(/{kind}/[\w-]+)", text))]
    assert 1 == len(found)
    return found[0]


def test_a_forgotten_password_is_set_anew_by_a_link_once(sqlite_server: Flask, organization_id: str) -> None:
    """The link sets it, ends every session, and is good no second time; looking at it uses nothing up."""
    client, elsewhere = browser(sqlite_server), signed_in(sqlite_server)
    client.post("/forgotten", data={"email": OWNER.upper()})
    path = link_in("reset")
    assert [200, 200] == [client.get(path).status_code for _ in range(2)]
    assert 302 == client.post(path, data={"password": NEW}).status_code
    assert 302 == elsewhere.get("/account").status_code
    assert [410, 410] == [client.get(path).status_code, client.post(path, data={"password": PASSWORD}).status_code]
    assert 302 == client.post("/sign-in", data={"email": OWNER, "password": NEW}).status_code


def test_a_password_that_cannot_be_taken_leaves_the_link_good(sqlite_server: Flask, organization_id: str) -> None:
    """What is too short is said beside the field, and one tries again."""
    client = browser(sqlite_server)
    client.post("/forgotten", data={"email": OWNER})
    path = link_in("reset")
    assert [422, 302] == [client.post(path, data={"password": word}).status_code for word in ("short", NEW)]


def test_a_link_for_a_password_is_good_for_an_hour(sqlite_server: Flask, organization_id: str) -> None:
    """One that lay about is not."""
    browser(sqlite_server).post("/forgotten", data={"email": OWNER})
    path = link_in("reset")
    with moved(3601):
        assert 410 == browser(sqlite_server).post(path, data={"password": NEW}).status_code


def test_a_used_link_takes_the_others_with_it(sqlite_server: Flask, organization_id: str) -> None:
    """Asked twice, used once: the other link in the mailbox sets no password any more."""
    for _ in range(2):
        browser(sqlite_server).post("/forgotten", data={"email": OWNER})
    paths = [re.search(r"(/reset/[\w-]+)", text)[1] for _, _, text in mails()]  # type: ignore[index]
    assert [302, 410] == [browser(sqlite_server).post(path, data={"password": NEW}).status_code for path in paths]


def test_asking_for_nobodys_password_is_answered_alike(sqlite_server: Flask, organization_id: str) -> None:
    """The page is the same, as much is written, and nothing is sent."""
    pages = []
    for email in (OWNER, "nobody@example.org"):
        text = browser(sqlite_server).post("/forgotten", data={"email": email}).text
        pages.append(re.sub(r'value="[^"]*"|hx-headers=.*', "", text).replace(email, "E"))
    assert pages[0] == pages[1]
    db.session.rollback()
    assert 2 == db.session.query(MailedLink).count()
    assert [OWNER] == [to for to, _, _ in mails()]


def test_nobody_is_sent_more_than_five_links_an_hour(sqlite_server: Flask, organization_id: str) -> None:
    """The page does not fill anybody's mailbox."""
    for _ in range(8):
        browser(sqlite_server).post("/forgotten", data={"email": OWNER})
    assert 5 == len(mails())


def test_a_link_of_one_kind_is_no_link_of_another(sqlite_server: Flask, organization_id: str) -> None:
    """An invitation sets no password."""
    with as_tenant(organization_id), transaction():
        url = invitations.invite("new@example.org", accounts.found(service.user_by_email(OWNER).id), "owner", "member")
    token = url.rpartition("/")[2]
    assert 410 == browser(sqlite_server).post(f"/reset/{token}", data={"password": NEW}).status_code


def test_mail_is_kept_where_no_server_is_set_for_its_owner_only(sqlite_server: Flask, organization_id: str) -> None:
    """A file of the server's own user, below a folder of theirs."""
    browser(sqlite_server).post("/forgotten", data={"email": OWNER})
    mail.finish()
    (path,) = mail_folder().glob("*.eml")
    assert [0o600, 0o700] == [path.stat().st_mode & 0o777, mail_folder().stat().st_mode & 0o777]


def test_nothing_is_sent_of_what_did_not_happen(sqlite_server: Flask, organization_id: str) -> None:
    """A mail leaves after the commit."""
    with pytest.raises(RuntimeError), transaction():
        accounts.ask_for_reset(OWNER)
        raise RuntimeError("the disk is full")
    assert [] == mails()


def invited(organization_id: str, email: str, role: str = "member", by: str = OWNER) -> str:
    """Invite somebody and return the link's path."""
    with as_tenant(organization_id), transaction():
        url = invitations.invite(email, service.user_by_email(by), "owner", role)
    return "/" + url.split("/", 3)[3]


def roles(organization_id: str) -> dict[str, str]:
    """Return person id -> role in an organization."""
    db.session.rollback()
    with as_tenant(organization_id):
        return {row.user_id: row.role for row in db.session.query(Membership)}


def test_the_invited_makes_an_account_and_is_in(sqlite_server: Flask, organization_id: str) -> None:
    """Name and password are all it takes; the link is good once."""
    path = invited(organization_id, "New@Example.org", "admin")
    client = browser(sqlite_server)
    assert "new@example.org is invited" in client.get(path).text
    assert 302 == client.post(path, data={"name": "Nina", "password": NEW}).status_code
    assert 200 == client.get(f"/o/{organization_id}/members").status_code
    assert 410 == browser(sqlite_server).post(path, data={"name": "Eve", "password": NEW}).status_code
    assert "admin" == roles(organization_id)[service.user_by_email("new@example.org").id]


def test_the_page_shows_the_link_to_pass_on_once(sqlite_server: Flask, organization_id: str) -> None:
    """Without a mail server whoever invites hands the link over; it stands on the next page and on no other."""
    client = signed_in(sqlite_server)
    page = client.post(f"/o/{organization_id}/members/invite", data={"email": "new@example.org", "role": "member"},
                       follow_redirects=True).text
    assert re.search(r'value="http://[^"]+/invitation/[\w-]{43}"', page)
    assert "/invitation/" not in client.get(f"/o/{organization_id}/members").text


def test_who_has_an_account_signs_in_and_accepts(sqlite_server: Flask, organization_id: str) -> None:
    """The page asks them to sign in, comes back, and then takes one click."""
    make_person("anna@example.org", password=PASSWORD)
    path = invited(organization_id, "anna@example.org")
    client = browser(sqlite_server)
    assert 200 == client.post(path, data={"name": "Eve", "password": NEW}).status_code
    sign_in = re.search(r'href="(/sign-in\?next=[^"]+)"', client.get(path).text)
    assert sign_in
    back = client.post(sign_in[1], data={"email": "anna@example.org", "password": PASSWORD}).location
    assert path == back
    assert 302 == client.post(back).status_code
    assert 200 == client.get(f"/o/{organization_id}/").status_code


def test_an_invitation_is_for_one_person(sqlite_server: Flask, organization_id: str) -> None:
    """Somebody else who has the link cannot accept it, signed in or not."""
    make_person("anna@example.org", password=PASSWORD)
    path = invited(organization_id, "anna@example.org")
    other = signed_in(sqlite_server, "eve@example.org")
    page = other.post(path)
    assert "for anna@example.org" in page.text
    with pytest.raises(LinkSpent), transaction():
        invitations.accept(path.rpartition("/")[2], service.user_by_email("eve@example.org").id)
    assert 1 == len(roles(organization_id))


def test_an_invitation_takes_no_account_that_others_made(sqlite_server: Flask, organization_id: str) -> None:
    """Somebody made on the command line who owns another organization is not taken over by inviting them here."""
    make_organization("Other", "anna@example.org")
    path = invited(organization_id, "anna@example.org")
    browser(sqlite_server).post(path, data={"name": "Eve", "password": NEW})
    db.session.rollback()
    assert service.user_by_email("anna@example.org").password_hash is None


def test_a_withdrawn_invitation_is_no_longer_good(sqlite_server: Flask, organization_id: str) -> None:
    """Nor is one that was sent again: its successor is."""
    client = signed_in(sqlite_server)
    first = invited(organization_id, "new@example.org")
    client.post(f"/o/{organization_id}/invitations/{_id(first)}/resend")
    assert 410 == browser(sqlite_server).get(first).status_code
    with as_tenant(organization_id):
        (second,) = invitations.open_invitations()
    client.post(f"/o/{organization_id}/invitations/{second.id}/withdraw")
    assert [404, 404] == [client.post(f"/o/{organization_id}/invitations/{second.id}/{act}").status_code
                          for act in ("withdraw", "resend")]


def _id(path: str) -> str:
    return email_tokens.digest(path.rpartition("/")[2])


def test_an_invitation_is_good_for_seven_days(sqlite_server: Flask, organization_id: str) -> None:
    """After that it is neither followed nor listed."""
    path = invited(organization_id, "new@example.org")
    with moved(7 * 86400 + 1):
        assert 410 == browser(sqlite_server).get(path).status_code
        with as_tenant(organization_id):
            assert [] == invitations.open_invitations()


def test_an_old_invitation_makes_no_owner_less(sqlite_server: Flask, organization_id: str) -> None:
    """Who became more meanwhile stays what they are."""
    path = invited(organization_id, "anna@example.org")
    anna = make_member(organization_id, "anna@example.org", "owner", password=PASSWORD)
    signed_in(sqlite_server, "anna@example.org").post(path)
    assert "owner" == roles(organization_id)[anna]


def test_an_admin_neither_makes_nor_takes_back_an_invitation_of_an_owner(sqlite_server: Flask, organization_id: str) -> None:
    """Only owners say who becomes one."""
    make_member(organization_id, "admin@example.org", "admin")
    client = signed_in(sqlite_server, "admin@example.org")
    new = {"email": "new@example.org", "role": "owner"}
    assert 403 == client.post(f"/o/{organization_id}/members/invite", data=new).status_code
    path = invited(organization_id, "new@example.org", "owner")
    assert [403, 403] == [client.post(f"/o/{organization_id}/invitations/{_id(path)}/{act}").status_code
                          for act in ("withdraw", "resend")]
    assert 422 == client.post(f"/o/{organization_id}/members/invite", data={**new, "role": "emperor"}).status_code


def test_an_invitation_to_a_closed_organization_is_spent(sqlite_server: Flask, organization_id: str) -> None:
    """Nobody enters it, by no door."""
    path = invited(organization_id, "new@example.org")
    signed_in(sqlite_server).post(f"/o/{organization_id}/close", data={"typed_name": "Acme"})
    assert 410 == browser(sqlite_server).get(path).status_code


def made_app(organization_id: str) -> App:
    """Make an app of the organization."""
    with as_tenant(organization_id), transaction():
        return apps.create("Sales", "system")


def test_somebody_outside_is_invited_to_manage_an_app(sqlite_server: Flask, organization_id: str) -> None:
    """They manage it without becoming a member; whether they had an account, nobody learns before."""
    app_id = made_app(organization_id).id
    make_person("outside@example.org", password=PASSWORD)
    client = signed_in(sqlite_server)
    page = client.post(f"/o/{organization_id}/apps/{app_id}/admins/add", data={"email": "outside@example.org"},
                       follow_redirects=True).text
    path = re.search(r"http://[^/]+(/invitation/[\w-]+)", page)
    assert path
    outside = signed_in(sqlite_server, "outside@example.org")
    assert 404 == outside.get(f"/o/{organization_id}/apps/{app_id}/").status_code
    outside.post(path[1])
    assert 200 == outside.get(f"/o/{organization_id}/apps/{app_id}/").status_code
    assert 404 == outside.get(f"/o/{organization_id}/").status_code
    assert "Sales" in outside.get("/", follow_redirects=True).text


def test_a_new_e_mail_is_proven_by_a_link(sqlite_server: Flask, organization_id: str) -> None:
    """Until the link is followed one signs in with the old one; who reads the old address is told."""
    client = signed_in(sqlite_server)
    client.post("/account/email", data={"email": "me@example.net", "email_password": PASSWORD})
    path = link_in("confirm-email")
    assert 410 == signed_in(sqlite_server, "eve@example.org").post(path).status_code
    assert OWNER == accounts.found(service.user_by_email(OWNER).id).email
    assert 302 == client.post(path).status_code
    assert 302 == browser(sqlite_server).post("/sign-in", data={"email": "me@example.net", "password": PASSWORD}).status_code
    assert (OWNER, "Your email was changed") in [(to, subject) for to, subject, _ in mails()]


def test_asking_for_somebody_elses_e_mail_tells_nothing(sqlite_server: Flask, organization_id: str) -> None:
    """The answer is that of any address, and nothing is sent."""
    make_person("anna@example.org")
    client = signed_in(sqlite_server)
    answer = client.post("/account/email", data={"email": "anna@example.org", "email_password": PASSWORD})
    assert (302, []) == (answer.status_code, mails())
    assert 422 == client.post("/account/email", data={"email": "new@example.org", "email_password": "not it, no"}).status_code


def test_a_link_used_by_many_at_once_lets_one_in(server: Flask) -> None:
    """Which one is decided in the database."""
    from tests.tenants.test_second_factor import together

    with as_server(), transaction():
        token = email_tokens.make("reset", OWNER, "nobody").url.rpartition("/")[2]

    def act() -> object:
        try:
            with transaction():
                return email_tokens.use("reset", token).email
        except LinkSpent:
            return "spent"

    assert 1 == sum(answer == OWNER for answer in together(server, act))


@pytest.mark.parametrize(("now", "role", "answer"), [
    ("admin", "member", 302), ("member", "member", 410), (None, "member", 410), ("admin", "owner", 410), ("owner", "owner", 302)])
def test_an_invitation_is_worth_what_its_inviter_may_do(sqlite_server: Flask, organization_id: str, now: str | None, role: str, answer: int) -> None:
    """Who was removed or is less by now has invited nobody: neither the page nor the form lets the invited in."""
    inviter = make_member(organization_id, "inviter@example.org", "owner")
    path = invited(organization_id, "new@example.org", role, "inviter@example.org")
    with as_tenant(organization_id), transaction():
        if now is None:
            members.remove(inviter, by_role="owner", from_apps=True)
        else:
            service.add_member(service.user_by_email("inviter@example.org"), now)

    client = browser(sqlite_server)
    assert (200 if answer == 302 else 410) == client.get(path).status_code
    assert answer == client.post(path, data={"name": "New", "password": NEW}).status_code
    with as_tenant(organization_id):
        assert (answer == 302) == (db.session.scalar(select(Membership).where(
            Membership.user_id == service.id_by_email("new@example.org"))) is not None)


def test_an_invitation_that_was_shown_to_its_inviter_proves_no_address(sqlite_server: Flask, organization_id: str) -> None:
    """Without a mail server the account is made, and marked among the members; a link out of a mail proves it."""
    path = invited(organization_id, "new@example.org")
    assert 302 == browser(sqlite_server).post(path, data={"name": "New", "password": NEW}).status_code
    assert "Not verified" in signed_in(sqlite_server).get(f"/o/{organization_id}/members?q=new").get_data(as_text=True)

    browser(sqlite_server).post("/forgotten", data={"email": "new@example.org"})
    assert 302 == browser(sqlite_server).post(link_in("reset"), data={"password": PASSWORD}).status_code
    assert "Not verified" not in signed_in(sqlite_server).get(f"/o/{organization_id}/members?q=new").get_data(as_text=True)


def test_who_proves_an_address_first_gets_the_account_alone(sqlite_server: Flask, organization_id: str) -> None:
    """What whoever made the account could come in by is gone with the first proof: second factor, sessions, links for another email."""
    path = invited(organization_id, "new@example.org")
    browser(sqlite_server).post(path, data={"name": "New", "password": NEW})
    with transaction():
        made = service.user_by_email("new@example.org")
        made.totp_secret = "JBSWY3DPEHPK3PXP"
        made_id = made.id
    maker = signed_in(sqlite_server, "new@example.org")
    maker.post("/account/email", data={"email": "maker@example.org", "password": NEW})
    with transaction():
        other = email_tokens.make("email", "maker@example.org", made_id)
    browser(sqlite_server).post("/forgotten", data={"email": "new@example.org"})
    assert 302 == browser(sqlite_server).post(link_in("reset"), data={"password": PASSWORD}).status_code

    db.session.expire_all()
    assert service.user_by_email("new@example.org").totp_secret is None
    assert 302 == maker.get("/account").status_code
    with pytest.raises(LinkSpent):
        email_tokens.find("email", other.url.rpartition("/")[2])


def test_a_proven_account_keeps_its_second_factor_when_its_password_is_reset(sqlite_server: Flask, organization_id: str) -> None:
    """A mailbox alone does not open an account that asks for more."""
    with transaction():
        owner = service.user_by_email(OWNER)
        owner.totp_secret, owner.email_proven_at = "JBSWY3DPEHPK3PXP", 1
    browser(sqlite_server).post("/forgotten", data={"email": OWNER})
    assert 302 == browser(sqlite_server).post(link_in("reset"), data={"password": NEW}).status_code

    db.session.expire_all()
    assert service.user_by_email(OWNER).totp_secret is not None


def test_an_invitation_that_was_mailed_proves_the_address(sqlite_server: Flask, organization_id: str) -> None:
    """Only who reads that mail has the link."""
    sqlite_server.extensions["appkeep"] = replace(server(), config=Config({**server().config.values, "smtp_url": "smtp://127.0.0.1:9"}))
    path = invited(organization_id, "new@example.org")
    assert 302 == browser(sqlite_server).post(path, data={"name": "New", "password": NEW}).status_code
    db.session.rollback()
    assert service.user_by_email("new@example.org").email_proven_at is not None
