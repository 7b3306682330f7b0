"""Two organizations that have everything, for the test of the wall: what one has the other does not have by the same name.

`VALUES` says what stands for each variable of an address. A rule with a variable that is not there fails the test of the
wall: add it here, with a value that is real in the organization.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from core.api import App, ImportContext, apps, as_tenant, db, direct, documents, import_file, server, standing, transaction
from core.backups import uploads
from core.backups.catalog import find_backup
from core.imports import previews
from core.objects.index import StoredObject
from core.runs.models import Run
from plugins.portal import service as portal
from plugins.roles import service as roles
from plugins.sample.importer import Sample
from plugins.workflows import approvals, beginning
from plugins.worksheets import comments
from plugins.worksheets.access import SheetAccess
from plugins.worksheets.history_versions import newest
from plugins.worksheets.public import links
from tenants import api_tokens, email_tokens, invitations
from tenants import service as tenants
from tenants.models import DepartmentMember, OrgRoleMember
from tenants.notifications import deliveries, inbox, webhooks
from tenants.notifications.notify import Notice, tell
from tests.web import make_member, make_organization, make_person

LOCAL_KEY = re.compile(r"(?<![A-Za-z0-9])([a-z])_([1-9A-HJ-NP-Za-km-z]{10})(?![A-Za-z0-9])")
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Salted(Sample):
    """The sample app under keys of its own, so that none of them is found in another app."""

    def __init__(self, salt: str) -> None:
        self.name = f"sample-{salt}"  # type: ignore[misc]
        self.salt = salt

    def operations(self, path: Path, context: ImportContext) -> Iterator[Mapping[str, Any]]:
        for operation in super().operations(path, context):
            yield json.loads(LOCAL_KEY.sub(lambda found: self.key(found[1], found[2]), json.dumps(operation)))

    def key(self, letter: str, rest: str) -> str:
        """Return the key that stands for another in this app."""
        number = int.from_bytes(hashlib.sha256(f"{self.salt}{letter}{rest}".encode()).digest()[:16])
        digits = []
        for _ in range(10):
            number, digit = divmod(number, len(ALPHABET))
            digits.append(ALPHABET[digit])
        return f"{letter}_{''.join(digits)}"


@dataclass
class Place:
    """One organization and its app, with ids of what is in them."""

    name: str
    organization_id: str
    app_id: str
    salt: str
    ids: dict[str, str] = field(default_factory=dict)

    def key(self, kind: str) -> str:
        """Return the key of a live document of a kind."""
        found = documents.live(apps.find(self.app_id), kind)
        if not found:
            raise LookupError(f"Say in VALUES what stands in an address after “{kind}”: it is no kind of which the app has a document.")
        return next((d.key for d in found if any(step.get("branches") for step in d.body.get("steps", ()))), found[0].key)

    @property
    def step(self) -> str:
        """The key of a step with branches."""
        steps = documents.get(apps.find(self.app_id), f"workflow/{self.key('workflow')}").body["steps"]
        return next(str(step["key"]) for step in steps if step.get("branches"))

    @property
    def block(self) -> str:
        """The key of a block of the page that `key` names."""
        return str(documents.get(apps.find(self.app_id), f"page/{self.key('page')}").body["blocks"][0]["key"])

    def part(self, kind: str, part: str) -> str:
        """Return the key of a part of the document that `key` names."""
        listed = server().registry.kind(kind)[1].parts[part]
        body = documents.get(apps.find(self.app_id), f"{kind}/{self.key(kind)}").body
        return str(body[listed][0]["key"])

    @property
    def secrets(self) -> list[str]:
        """What nobody learns who may not see the app."""
        return [f"{self.name} Zebra", "Zebra Record", f"reader@{self.salt}.example"]


def build(name: str, salt: str) -> Place:
    """Make an organization with people, departments, an app, a backup, a run, and return it."""
    organization_id = make_organization(f"{name} Works", f"owner@{salt}.example")
    owner = make_person(f"owner@{salt}.example")
    server().registry.importers[f"sample-{salt}"] = importer = Salted(salt)
    with as_tenant(organization_id):
        app_id = import_file(Path("sample"), organization_id, owner, name=f"{name} Zebra", importer=importer.name)["app"]
        place = Place(name, organization_id, app_id, salt)
        _people(place, importer)
        _record(place)
        place.ids["backup"] = direct.back_up(apps.find(app_id), person=owner).id
        place.ids["upload"] = uploads.begin(apps.find(app_id), owner, "Zebra file", 1000).id
        with transaction():
            email_tokens.make("invite", f"invited@{salt}.example", owner, organization_id=organization_id, role="member")
        preview = previews.receive([FileStorage(io.BytesIO(b"Zebra,Number\nStripes,1\n"), "zebra.csv")], owner)
        place.ids |= {"import": preview.id, "invitation": invitations.open_invitations()[0].id}
        direct.restore(apps.find(app_id), find_backup(place.ids["backup"]), person=owner, safety_backup=True)
        run = db.session.scalar(select(Run.id).where(Run.app_id == app_id, Run.kind == "restore"))
        _notified(place, owner)
        _left_to_run(place, owner)
        place.ids |= {"owner": owner, "run": str(run), "file": str(db.session.scalar(select(StoredObject.content)))}
        db.session.rollback()
    return place


def _notified(place: Place, owner: str) -> None:
    """Tell the owner something, and make a webhook that is told too, and a token of the owner's."""
    with transaction():
        place.ids["api_token"] = api_tokens.make(owner, f"{place.name} Zebra token", ["read"], 30)[0].id
        place.ids["webhook"] = webhooks.add("https://hooks.example/", ["quota_full"], owner)[0].id
        tell(Notice("quota_full", f"q/{place.salt}", f"{place.name} Zebra is full", "All of it.", f"/o/{place.organization_id}/plan"), [owner])
        place.ids["notification"] = str(inbox.items(owner)[0].id)
        place.ids["delivery"] = deliveries.deliveries()[0].id


def _left_to_run(place: Place, owner: str) -> None:
    """Begin a run of a workflow that asks the owner for approval, and make a public link."""
    with transaction():
        app = apps.find(place.app_id)
        document, sheet = documents.get(app, f"workflow/{place.key('workflow')}"), place.key("worksheet")
        number = beginning.begin(app, document, {"type": "manual"}, owner)
        approvals.ask(app, number, 0, [owner], f"{place.name} Zebra?", None)
        access = SheetAccess.of(app, standing(app, owner), sheet)
        place.ids["comment"] = comments.add(access, 1, f"{place.name} Zebra!", owner, shared=False)
        place.ids |= {"number": str(number), "link": links.create(app, sheet, place.part("worksheet", "view"), owner).key}


def _people(place: Place, importer: Salted) -> None:
    salt, organization_id = place.salt, place.organization_id
    make_member(organization_id, f"admin@{salt}.example", "admin")
    make_member(organization_id, f"roleless@{salt}.example")
    reader, outside = make_member(organization_id, f"reader@{salt}.example"), make_person(f"outside@{salt}.example")
    with transaction():
        app = apps.find(place.app_id)
        department, org_role = tenants.create_department(f"{place.name} Zebra department"), tenants.create_org_role("Zebra role")
        db.session.add(DepartmentMember(department_id=department.id, user_id=reader))
        db.session.add(OrgRoleMember(org_role_id=org_role.id, user_id=reader))
        place.ids |= {"outside": outside, "department": department.id, "org_role": org_role.id, "member": reader}
        tenants.name_admin(app, outside)
        for role in documents.live(app, "role")[1:]:
            roles.assign(app, role.key, f"user/{reader}")
        portal.put_account(app, f"guest@{salt}.example", documents.live(app, "portal_role")[0].key)


def _record(place: Place) -> None:
    """Put a record whose name nobody may learn, as record 1 of the worksheet that the addresses name."""
    app = apps.find(place.app_id)
    sheet = documents.get(app, f"worksheet/{place.key('worksheet')}")
    text = next(f["key"] for f in sheet.body["fields"] if f["type"] == "text")
    edit = {"op": "put_record", "worksheet": sheet.key, "seq": 1, "values": {text: "Zebra Record"}}
    with transaction():
        apps.apply(apps.find(app.id), [edit], "system")


Value = Callable[[Place, str], str]
"""(where, what stands before the variable in the rule) -> what to fill it with."""
VALUES: dict[str, Value] = {
    "organization_id": lambda place, before: place.organization_id,
    "app_id": lambda place, before: place.app_id,
    "kind": lambda place, before: "worksheet",
    "key": lambda place, before: place.key(before),
    "component": lambda place, before: "worksheets",
    "which": lambda place, before: "logo",
    "filename": lambda place, before: "appkeep.css",
    "seq": lambda place, before: "1",
    "part": lambda place, before: "field",
    "part_key": lambda place, before: place.part("worksheet", "field"),
    "field": lambda place, before: place.part("worksheet", "field"),
    "view": lambda place, before: place.part("worksheet", "view"),
    "field_key": lambda place, before: place.part("worksheet", "field"),
    "view_key": lambda place, before: place.part("worksheet", "view"),
    "run_id": lambda place, before: place.ids["import" if before == "import" else "run"],
    "backup_id": lambda place, before: place.ids["backup"],
    "upload_id": lambda place, before: place.ids["upload"],
    "what": lambda place, before: "config",
    "user_id": lambda place, before: place.ids["outside" if before == "admins" else "member"],
    "notification_id": lambda place, before: place.ids["notification"],
    "webhook_id": lambda place, before: place.ids["webhook"],
    "delivery_id": lambda place, before: place.ids["delivery"],
    "invitation_id": lambda place, before: place.ids["invitation"],
    "token": lambda place, before: "x" * 43,
    "comment": lambda place, before: place.ids["comment"],
    "entry": lambda place, before: str(newest(apps.find(place.app_id), place.key("worksheet"), 1)),
    "step": lambda place, before: place.step,
    "n": lambda place, before: "0",
    "department_id": lambda place, before: place.ids["department"],
    "role_id": lambda place, before: place.ids["org_role"],
    "digest": lambda place, before: place.ids["file"],
    "content": lambda place, before: place.ids["file"],
    "block": lambda place, before: place.block,
    "name": lambda place, before: "grid.css" if before == "worksheets" else f"{before}.css",
    "of": lambda place, before: place.app_id,
    "at": lambda place, before: place.app_id,
    "number": lambda place, before: "1" if before == "records" else place.ids["number"],
    "link": lambda place, before: place.ids["link"],
    "sheet": lambda place, before: place.key("worksheet"),
    "worksheet": lambda place, before: place.key("worksheet"),
    "button": lambda place, before: "b_1111111111",
    "word": lambda place, before: "worksheet",
    "collection": lambda place, before: place.key("worksheet"),
    "record": lambda place, before: "1",
    "other": lambda place, before: place.ids["backup"],
    "token_id": lambda place, before: place.ids["api_token"],
    "workflow": lambda place, before: place.key("workflow"),
}
COMMON = frozenset({"token", "n", "number", "kind", "component", "which", "filename", "seq", "part", "name", "button", "what", "word", "record"})
"""Variables that are called alike in every organization: nothing to mix up."""
MADE_UP = {"organization_id": "o_ZZZZZZZZZZ", "app_id": "a_ZZZZZZZZZZ"}


def app_of(place: Place) -> App:
    """Return the place's app."""
    return apps.find(place.app_id)
