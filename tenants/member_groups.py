"""Groups of members that have a name each: what departments and org roles share. The caller owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import delete, func, select

from core.api import Conflict, NotFound, db
from tenants import members
from tenants.audit import audit
from tenants.models import Department, DepartmentMember, OrgRole, OrgRoleMember, User
from tenants.typed_names import checked_name

PAGE_PEOPLE = 200
Row = TypeVar("Row", Department, OrgRole)


@dataclass(frozen=True, kw_only=True)
class MemberGroups(Generic[Row]):
    """The groups of one kind in the current organization.

    `table` has the groups, `membership` who is in which, by its column `column`. `noun` is what people call one ("org role");
    `kind` is what the log calls it, in the detail of the acts `joined` and `left`.
    """

    table: type[Row]
    membership: type[DepartmentMember] | type[OrgRoleMember]
    column: str
    kind: str
    noun: str
    joined: str
    left: str

    def find(self, group_id: str) -> Row:
        """Return a group.

        Raises:
            NotFound: there is none of that id.
        """
        found = db.session.scalar(select(self.table).where(self.table.id == group_id))
        if found is None:
            raise NotFound(f"This {self.noun} does not exist.")
        return found

    def counts(self) -> dict[str, int]:
        """Return how many people are in each group that has any, by id."""
        return {row[0]: row[1] for row in db.session.execute(select(self._group, func.count()).group_by(self._group))}

    def check_free(self, name: str, but: str | None = None) -> None:
        """Refuse a name that another group has than the one that is called so.

        Raises:
            Conflict: there is one of that name.
            InvalidInput: the name cannot be taken.
        """
        article = "an" if self.noun[0] in "aeiou" else "a"
        taken = db.session.scalar(select(self.table.id).where(self.table.name == checked_name(name, f"{article} {self.noun}")))
        if taken not in (None, but):
            raise Conflict(f"{article.capitalize()} {self.noun} named “{name.strip()}” already exists.")

    def put_in(self, group_id: str, user_id: str) -> None:
        """Put a member into a group; it is no error if they are in it.

        Raises:
            NotFound: there is no such group, or no such member.
        """
        members.hold()
        name = self.find(group_id).name
        members.find(user_id)
        if db.session.get(self.membership, (group_id, user_id)) is None:
            db.session.add(self.membership(**{self.column: group_id, "user_id": user_id}))
            db.session.flush()
            audit(self.joined, f"user/{user_id}", **{self.kind: group_id, "name": name})

    def take_out(self, group_id: str, user_id: str) -> None:
        """Take somebody out of a group; it is no error if they are not in it."""
        name = self.find(group_id).name
        gone = db.session.execute(delete(self.membership).where(
            self._group == group_id, self.membership.user_id == user_id).returning(self.membership.user_id)).first()
        if gone is not None:
            audit(self.left, f"user/{user_id}", **{self.kind: group_id, "name": name})

    def people(self, group_id: str) -> list[tuple[str, str, str]]:
        """Return (id, name, email) of who is in a group itself, by name; at most `PAGE_PEOPLE`."""
        query = select(User.id, User.name, User.email).join(self.membership, self.membership.user_id == User.id).where(
            self._group == group_id).order_by(func.lower(User.name), User.id).limit(PAGE_PEOPLE)
        return [(row.id, row.name, row.email) for row in db.session.execute(query)]

    def of_member(self, user_id: str) -> list[Row]:
        """Return the groups that a person is in themselves, by name."""
        query = select(self.table).join(self.membership, self._group == self.table.id).where(self.membership.user_id == user_id)
        return sorted(db.session.scalars(query), key=lambda group: group.name.casefold())

    @property
    def _group(self) -> Any:
        return getattr(self.membership, self.column)
