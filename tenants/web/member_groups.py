"""What the pages of departments and of org roles share."""

from __future__ import annotations

from typing import Any

from core.api import NotFound, transaction
from tenants import members
from tenants.member_groups import MemberGroups
from tenants.typed_names import folded
from tenants.web.forms import typed


def put_typed_in(groups: MemberGroups[Any], group_id: str) -> tuple[str, str | None]:
    """Put the member whose email was typed into a group; return their name, and what is wrong with the email.

    Raises:
        NotFound: there is no such group.
    """
    groups.find(group_id)
    try:
        person = members.by_email(folded(typed("email")))
    except NotFound as error:
        return "", error.message
    with transaction():
        groups.put_in(group_id, person.id)
    return person.name, None
