"""An app with every kind of reference, for tests of what a restore makes of them."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from typing import Any

from core.api import App, Document, apps, direct, documents, transaction
from core.backups.catalog import find_backup
from core.objects.writer import put_file
from plugins.worksheets import service
from tenants.service import create_department, create_org_role
from tests import damage
from tests.plugins.worksheets.accountant import Account, account

A, B, C, ROWS, PARTS = "w_Aaaaaaaaaa", "w_Bbbbbbbbbb", "w_Cccccccccc", "w_Rowsssssss", "w_Partssssss"
SET = "s_Settttttt1"
O1, O2, O3 = "o_1111111111", "o_2222222222", "o_3333333333"
WORDS = ("name", "link", "way", "self", "free", "other", "dept", "role", "member", "file", "sign", "one", "many", "set", "rows", "parts", "back")
Edit = dict[str, Any]


def key(word: str) -> str:
    """Return the key of a field."""
    return f"f_{word.replace('l', 'L')[:10].ljust(10, '1')}"


def field(word: str, kind: str, **options: Any) -> Edit:
    """Return a field."""
    return {"key": key(word), "name": word, "type": kind, "options": options}


def to(worksheet: str, app: str = "") -> Edit:
    """Return a target."""
    return {"target": {"org": f"app/{app}/worksheet/{worksheet}"} if app else {"ref": f"worksheet/{worksheet}"}}


def choices(*keys: str) -> list[Edit]:
    """Return choices."""
    return [{"key": one, "name": one} for one in keys]


def mirror(sheet: str, word: str) -> Edit:
    """Return the options of the other side of a two-way link."""
    return {**to(sheet), "mirrors": {"ref": f"worksheet/{sheet}/field/{key(word)}"}}


@dataclass
class Referring:
    """The app, the other app that it points into, and things of the organization."""

    app_id: str
    other_id: str
    department: str
    org_role: str
    file: Edit

    @property
    def app(self) -> App:
        """The app, fresh from the database."""
        return apps.find(self.app_id)

    def do(self, *edits: Edit) -> None:
        """Do edits in one transaction."""
        with transaction():
            apps.apply(self.app, edits, "system")

    def put(self, sheet: str, seq: int | None = None, **values: Any) -> None:
        """Put a record; values by the words of fields."""
        self.do({"op": "put_record", "worksheet": sheet, "seq": seq, "values": {key(word): value for word, value in values.items()}})

    def vals(self, sheet: str, seq: int) -> Edit:
        """Return a record's values by the words of fields; none of one in the bin."""
        row = service.store_of(self.app).row(sheet, seq)
        words = {key(word): word for word in WORDS}
        return {} if row is None or row.deleted_at is not None else {words[k]: v for k, v in service.loads(row.vals).items()}

    def purge(self, sheet: str, *seqs: int) -> None:
        """Remove records for good."""
        self.do(*({"op": op, "worksheet": sheet, "seq": seq} for seq in seqs for op in ("delete_record", "purge_record")))

    def purge_document(self, address: str) -> None:
        """Remove a document or a part of one for good."""
        self.do({"op": "hide", "document": address}, {"op": "purge", "document": address})

    def change(self, sheet: str, word: str, **to: Any) -> None:
        """Change a field's definition."""
        with transaction():
            damage.change_fields(self.app, documents.get(self.app, f"worksheet/{sheet}"), damage.changed(key(word), **to))


def make() -> Referring:
    """Make the app: worksheets that point to each other in a circle and to themselves, rows that have parts, and all that has targets."""
    with transaction():
        other = apps.create("Other", "system")
        documents.put(other, sheet(C, [field("name", "text")]), "system")
        for n in (1, 2, 3):
            service.put_record(other, C, None, {key("name"): f"other {n}"}, "system")
        app = apps.create("Referring", "system")
        made = Referring(app.id, other.id, f"department/{create_department('Sales').id}", f"org_role/{create_org_role('Boss').id}",
                         letter("letter.txt"))
        documents.change(app, "system", put=[
            Document(kind="option_set", key=SET, body={"name": "Set", "choices": choices(O1, O2)}, position=0), *worksheets(other.id)])
        _fill(app, made)
    return made


def letter(name: str, content: bytes = b"a letter") -> Edit:
    """Return the value of a file whose content is stored."""
    return {"file": put_file(io.BytesIO(content))[0], "name": name, "size": len(content), "type": "text/plain"}


def sheet(key: str, fields: list[Edit]) -> Document:
    """Return a worksheet."""
    return Document(kind="worksheet", key=key, body={"name": key, "fields": fields}, position=0)


def worksheets(other: str) -> list[Document]:
    """Return the worksheets."""
    return [
        sheet(A, [field("name", "text"), field("link", "relationship", **to(B)), field("self", "relationship", **to(A)),
                  field("way", "cascading_select", **to(C)), field("free", "free_link"), field("other", "relationship", **to(C, other)),
                  field("dept", "department"), field("role", "org_role"), field("member", "member"), field("file", "file"),
                  field("sign", "signature"), field("one", "single_select", choices=choices(O1, O2, O3)),
                  field("many", "multiple_select", choices=choices(O1, O2, O3)), field("set", "single_select", option_set={"ref": f"option_set/{SET}"}),
                  field("rows", "subform", **to(ROWS))]),
        sheet(B, [field("name", "text"), field("link", "relationship", **to(A)), field("back", "relationship", **mirror(A, "link"))]),
        sheet(C, [field("name", "text"), field("self", "relationship", **to(C))]),
        sheet(ROWS, [field("name", "text"), field("parts", "subform", **to(PARTS))]),
        sheet(PARTS, [field("name", "text"), field("free", "free_link")]),
    ]


def _fill(app: App, made: Referring) -> None:
    def put(sheet: str, **values: Any) -> None:
        service.put_record(app, sheet, None, {key(word): value for word, value in values.items()}, "system")

    def to_any(sheet: str, seq: int) -> Edit:
        return {"ref": f"worksheet/{sheet}/record/{seq}"}

    for n in range(1, 7):
        put(PARTS, name=f"part {n}")
        put(C, name=f"c {n}", **({"self": [n - 1]} if n > 1 else {}))
    for n in range(1, 5):
        put(ROWS, name=f"row {n}", **({"parts": [n, n + 2]} if n < 3 else {}))
        put(B, name=f"b {n}")
    for n in range(1, 5):
        more = {"rows": [n], "self": [n - 1]} if n > 1 else {"rows": [1]}
        put(A, name=f"a {n}", link=[n, n % 4 + 1], way=[1, n + 1], free=[to_any(B, n), to_any(C, 1)], other=[n % 3 + 1],
            dept=[{"org": made.department}], role=[{"org": made.org_role}], member=[{"org": "user/u_1111111111"}], file=[made.file],
            sign=[made.file], one=(O1, O2, O3)[n % 3], many=[O1, (O2, O3)[n % 2]], set=(O1, O2)[n % 2], **more)
    service.put_record(app, A, 1, {key("self"): [1, 4]}, "system")
    for n in range(1, 5):
        service.put_record(app, B, n, {key("link"): [n % 4 + 1]}, "system")
    service.put_record(app, PARTS, 1, {key("free"): [to_any(A, 1), to_any(PARTS, 1)]}, "system")


def restored(app_id: str, backup: str, *, config: bool, only: tuple[str, ...] = ()) -> tuple[Account, dict[str, Any], str]:
    """Restore data, and the configuration where asked; return the account, the report on worksheets, and the run.

    The plan says the same beforehand.
    """
    app, saved = apps.find(app_id), find_backup(backup)
    planned = direct.plan(app, saved, config=config, only=only)
    report = direct.restore(app, saved, config=config, only=only, safety_backup=True)
    said, foreseen = ({} if "data" not in (all_said := told.get("worksheets", {})) else dict(all_said["data"])
                      for told in (report["components"], planned["components"]))
    assert foreseen == said
    return account(app_id, backup, said, only), said, str(find_backup(report["safety_backup"]).run_id)


def damaged(app_id: str, seed: int) -> list[str]:
    """Damage an app in some ways, drawn by a seed, and return which."""
    draw = random.Random(seed)
    acts = draw.sample(damage.ACTS, draw.randint(2, 5))
    for act in acts:
        with transaction():
            act(apps.find(app_id), draw)
    return [act.__name__ for act in acts]
