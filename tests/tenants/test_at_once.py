"""People of an organization who change the same at the same moment, each through a connection of their own."""

from __future__ import annotations

from functools import partial

from flask import Flask

from core.api import App, apps, as_server, transaction
from core.web.repeating import repeated
from tenants import members, service
from tenants.notifications.choices import Choice, all_choices, choose
from tenants.notifications.kinds import KINDS
from tests.web import make_member, make_person
from tests.writing import at_once, each


def test_two_windows_save_what_one_is_told_of(server: Flask, organization: str) -> None:
    """One after the other: what stands in the end is what one of them said, whole."""
    person = make_person("ann@example.org")

    def save(on: bool):  # type: ignore[no-untyped-def]
        def one(_: int) -> None:
            with as_server(), transaction():
                choose(person, dict.fromkeys(KINDS, Choice(on, on)))

        return one

    assert [] == at_once(server, organization, each(10, save(True)), each(10, save(False)))
    with as_server():
        assert 1 == len({(one.inbox, one.mail) for one in all_choices(person).values()})


def test_two_who_name_the_same_admin_both_find_them_named(server: Flask, organization: str, app: App) -> None:
    """The second does it again, and meets what the first has done."""
    people = [make_member(organization, f"p{n}@example.org") for n in range(12)]

    def name_all() -> None:
        for person in people:
            def name(person: str = person) -> None:
                with transaction():
                    service.name_admin(apps.find(app.id), person)

            repeated(name)

    assert [] == at_once(server, organization, name_all, name_all, name_all)


def test_an_organization_keeps_an_owner(server: Flask, organization: str) -> None:
    """All its owners become members at the same moment: one of them stays an owner, and is told why."""
    for number in range(3):
        make_member(organization, f"o{number}@example.org", "owner")
    owners = [one.id for one in members.members() if one.role == "owner"]

    def resign(person: str) -> None:
        with transaction():
            members.change_role(person, "member", "owner")

    raised = at_once(server, organization, *[partial(resign, person) for person in owners])
    assert ["last owner" in str(error) for error in raised] == [True]
    assert 1 == sum(one.role == "owner" for one in members.members())
