"""Pages on the members of an organization and on who is invited into it."""

from __future__ import annotations

from flask import Response, render_template, request, url_for

from core.api import ORGANIZATION, Needs, Pages, again, limiter, transaction, visit
from tenants import accounts, departments, invitations, members, org_roles
from tenants.models import MailedLink
from tenants.web.forms import pass_on, passed_on, refused_change, to, typed

pages = Pages("members", __name__)
OFTEN = "60 per minute"


@pages.page(f"{ORGANIZATION}/members", Needs.ORG_ADMIN)
def show(organization_id: str) -> str:
    """List the members, a page at a time, and the open invitations."""
    return _page()


@pages.page(f"{ORGANIZATION}/members/invite", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def invite(organization_id: str) -> Response:
    """Invite somebody."""
    urls: list[str] = []
    error = refused_change(lambda: urls.append(invitations.invite(
        typed("email"), accounts.found(visit().person), by_role(), typed("role"))))
    if error:
        return again(_page(error))
    pass_on(typed("email"), urls[0])
    return to(url_for("members.show", organization_id=organization_id), f"{typed('email')} was invited.")


@pages.page(f"{ORGANIZATION}/invitations/<invitation_id>/resend", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def resend(organization_id: str, invitation_id: str) -> Response:
    """Send an invitation again, with a new link."""
    with transaction():
        link = invitations.find(invitation_id)
        email, back = link.email, _listed_at(link)
        url = invitations.resend(invitation_id, accounts.found(visit().person), by_role())
    pass_on(email, url)
    return to(back, f"{email} was invited again. The earlier link no longer works.")


@pages.page(f"{ORGANIZATION}/invitations/<invitation_id>/withdraw", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def withdraw(organization_id: str, invitation_id: str) -> Response:
    """Take an invitation back."""
    with transaction():
        link = invitations.find(invitation_id)
        email, back = link.email, _listed_at(link)
        invitations.withdraw(invitation_id, by_role())
    return to(back, f"The invitation of {email} was withdrawn.")


@pages.page(f"{ORGANIZATION}/members/<user_id>", Needs.ORG_ADMIN)
def member(organization_id: str, user_id: str) -> str:
    """Show one member."""
    return _member(user_id)


@pages.page(f"{ORGANIZATION}/members/<user_id>/role", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def change_role(organization_id: str, user_id: str) -> Response:
    """Change what a member is in the organization."""
    if error := refused_change(lambda: members.change_role(user_id, typed("role"), by_role())):
        return again(_member(user_id, error))
    return to(url_for("members.member", organization_id=organization_id, user_id=user_id)
              if visit().person != user_id else "/", "Role changed.")


@pages.page(f"{ORGANIZATION}/members/<user_id>/remove", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def remove(organization_id: str, user_id: str) -> Response:
    """Take a member out of the organization."""
    name = members.find(user_id).name
    from_apps = "from_apps" in request.form
    if error := refused_change(lambda: members.remove(user_id, by_role(), from_apps=from_apps)):
        return again(_member(user_id, error))
    return to(url_for("members.show", organization_id=organization_id) if visit().person != user_id else "/",
              f"{name} is no longer a member.")


def by_role() -> str:
    """Return what the visitor is in the organization."""
    return visit().role or ""


def _listed_at(link: MailedLink) -> str:
    if link.app_id:
        return url_for("app_admins.show", organization_id=link.organization_id, app_id=link.app_id)
    return url_for("members.show", organization_id=link.organization_id)


def _page(error: str | None = None) -> str:
    text = request.args.get("q", "")[:100].strip()
    found = members.members(text=text, after=request.args.get("after"))
    return render_template(
        "tenants/members.html", members=found[:members.PAGE_MEMBERS], more=len(found) > members.PAGE_MEMBERS, text=text, error=error,
        form=request.form, invitations=invitations.open_invitations(), link=passed_on(), may_make_owners=by_role() == "owner")


def _member(user_id: str, error: str | None = None) -> str:
    found = members.find(user_id)
    return render_template(
        "tenants/member.html", member=found, error=error, may_change=found.role != "owner" or by_role() == "owner",
        may_make_owners=by_role() == "owner", departments=departments.of_member(user_id), org_roles=org_roles.of_member(user_id),
        apps=members.apps_managed(user_id), myself=user_id == visit().person)
