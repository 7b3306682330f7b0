"""Departments of the current organization: a tree, and who is in which part. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from core.api import Conflict, db
from tenants import members, service
from tenants.audit import audit
from tenants.member_groups import MemberGroups
from tenants.models import Department, DepartmentMember, Membership
from tenants.typed_names import checked_name

MAX_DEPTH = 20
DEPARTMENTS = MemberGroups(table=Department, membership=DepartmentMember, column="department_id", kind="department", noun="department",
                           joined="department_joined", left="department_left")
find, put_in, take_out, people, of_member = (
    DEPARTMENTS.find, DEPARTMENTS.put_in, DEPARTMENTS.take_out, DEPARTMENTS.people, DEPARTMENTS.of_member)


@dataclass(frozen=True, slots=True)
class Branch:
    """A department in its place: how deep it stands, how many people are in it itself, and those below it."""

    id: str
    name: str
    depth: int
    people: int
    path: tuple[str, ...]


def tree() -> list[Branch]:
    """Return all departments, each followed by those below it, beside each other by name."""
    rows = db.session.scalars(select(Department)).all()
    counted = DEPARTMENTS.counts()
    below: dict[str | None, list[Department]] = {}
    for row in sorted(rows, key=lambda r: (r.name.casefold(), r.id)):
        below.setdefault(row.parent_id, []).append(row)

    def walk(parent: str | None, path: tuple[str, ...]) -> Iterator[Branch]:
        for row in below.get(parent, ()):
            yield Branch(row.id, row.name, len(path), counted.get(row.id, 0), (*path, row.id))
            yield from walk(row.id, (*path, row.id))

    return list(walk(None, ()))


def add(name: str, parent_id: str | None) -> Department:
    """Make a department, below another one if it is named.

    Raises:
        Conflict: there is one of that name, or it would stand too deep.
        NotFound: there is no such parent.
        InvalidInput: the name cannot be taken.
    """
    members.hold()
    if parent_id and len(_above(find(parent_id).id)) >= MAX_DEPTH:
        raise Conflict(f"Departments can be nested {MAX_DEPTH} levels deep at most.")
    DEPARTMENTS.check_free(name)
    made = service.create_department(name, parent_id)
    audit("department_added", f"department/{made.id}", name=made.name)
    return made


def change(department_id: str, name: str, parent_id: str | None) -> None:
    """Rename a department and put it below another one, or at the top.

    Raises:
        Conflict: there is one of that name, or it would stand below itself or too deep.
        NotFound: there is no such department or parent.
        InvalidInput: the name cannot be taken.
    """
    members.hold()
    row = find(department_id)
    name = checked_name(name, "a department")
    if parent_id:
        above = _above(find(parent_id).id)
        if department_id in above:
            raise Conflict("A department cannot be its own parent.")
        if len(above) + _height(department_id) > MAX_DEPTH:
            raise Conflict(f"Departments can be nested {MAX_DEPTH} levels deep at most.")
    DEPARTMENTS.check_free(name, but=department_id)
    before, row.name, row.parent_id = row.name, name, parent_id
    db.session.flush()
    audit("department_changed", f"department/{department_id}", name=name, before=before, parent=parent_id)


def remove(department_id: str) -> None:
    """Remove a department; its people and the departments below it move up to the one above it, if there is one."""
    members.hold()
    row = find(department_id)
    parent, name = row.parent_id, row.name
    inside = set(_people_of(department_id))
    db.session.execute(update(Department).where(Department.parent_id == department_id).values(parent_id=parent))
    db.session.execute(delete(DepartmentMember).where(DepartmentMember.department_id == department_id))
    if parent is not None:
        already = set(_people_of(parent))
        db.session.add_all([DepartmentMember(department_id=parent, user_id=user_id) for user_id in sorted(inside - already)])
    db.session.execute(delete(Department).where(Department.id == department_id))
    db.session.flush()
    audit("department_deleted", f"department/{department_id}", name=name, people=len(inside), moved_to=parent)


def _people_of(department_id: str) -> Sequence[str]:
    return db.session.scalars(select(DepartmentMember.user_id).join(
        Membership, Membership.user_id == DepartmentMember.user_id).where(
        DepartmentMember.department_id == department_id)).all()


def _parents() -> dict[str, str | None]:
    return {row.id: row.parent_id for row in db.session.execute(select(Department.id, Department.parent_id))}


def _above(department_id: str) -> list[str]:
    """Return a department and all above it, up to the top."""
    parents, found, here = _parents(), [], department_id or None
    while here is not None and here not in found:
        found.append(here)
        here = parents.get(here)
    return found


def _height(department_id: str) -> int:
    """Return how many levels a department has, itself counted."""
    parents, level, height = _parents(), {department_id}, 0
    while level and height <= MAX_DEPTH:
        level, height = {key for key, parent in parents.items() if parent in level}, height + 1
    return height
