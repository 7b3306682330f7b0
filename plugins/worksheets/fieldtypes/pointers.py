"""Fields that point to something: records, files, places in the organization, people."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar

from core.api import KEY, Definition, FieldType, InvalidDocument, InvalidValue, RecordView, Reference, Source
from core.api import schemas as s

MAX_SEQ = 2**40
"""The highest number of a record."""
MAX_SAFE = 2**53 - 1
MAX_ITEMS = 5000
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_RECORD = re.compile(r"worksheet/(w_[1-9A-HJ-NP-Za-km-z]{10})/record/([1-9][0-9]{0,15})\Z")
TARGET = {"anyOf": [s.ref("worksheet"), s.closed({
    "org": {"type": "string", "pattern": "^app/a_[1-9A-HJ-NP-Za-km-z]{10}/worksheet/w_[1-9A-HJ-NP-Za-km-z]{10}" + s.END}}, ["org"])]}


def target_address(definition: Definition) -> str:
    """Return the address of the worksheet that a field points into."""
    target = definition["options"]["target"]
    return str(target.get("ref") or target.get("org"))


class _Items(FieldType):
    """A list of things, each once; "multiple": false allows one."""

    points = True

    def item(self, value: Any) -> Any:
        """Return one item in stored form, or raise InvalidValue."""
        raise NotImplementedError

    def reference(self, item: Any, definition: Definition) -> Reference:
        """Return what one item points to."""
        raise NotImplementedError

    def canonical(self, value: Any, definition: Definition) -> Any:
        """A list; what stands alone is taken as a list of it."""
        if not isinstance(value, list | tuple):
            value = [value] if value != "" else []
        if len(value) > MAX_ITEMS:
            raise InvalidValue(f"it has {len(value)} items; the maximum is {MAX_ITEMS}.")
        items = [self.item(one) for one in value]
        if definition.get("options", {}).get("multiple") is False and len(items) > 1:
            raise InvalidValue("it can have one item only.")
        seen = {repr(one) for one in items} if items and isinstance(items[0], dict) else set(items)
        if len(seen) != len(items):
            raise InvalidValue("it has the same item twice.")
        return items or None

    def references(self, value: Any, definition: Definition) -> Iterable[Reference]:
        return (self.reference(item, definition) for item in value)

    def keep(self, value: Any, definition: Definition, gone: frozenset[Reference]) -> Any:
        return [item for item in value if self.reference(item, definition) not in gone] or None


class Relationship(_Items):
    """Records of a worksheet, named by their numbers.

    The other side of a two-way relationship `mirrors` the field that stores it, and is computed.
    """

    name, title = "relationship", "Relationship"
    options: ClassVar[Any] = s.closed({
        "target": TARGET, "multiple": s.FLAG, "mirrors": s.part_ref("worksheet", "field"), "view": s.part_ref("worksheet", "view"),
    }, ["target"])

    def stored_for(self, definition: Definition) -> bool:
        return "mirrors" not in definition.get("options", {})

    def derived_for(self, definition: Definition) -> bool:
        return not self.stored_for(definition)

    def check_definition(self, definition: Definition) -> None:
        options = definition["options"]
        if "mirrors" in options and not options["mirrors"]["ref"].startswith(f"{options['target'].get('ref')}/"):
            raise InvalidDocument(f"Field “{definition['name']}” mirrors a field of another worksheet than it points to.")

    def item(self, value: Any) -> Any:
        """A record's number."""
        if type(value) is not int or not 1 <= value <= MAX_SEQ:
            raise InvalidValue("it must be a list of records' numbers.")
        return value

    def reference(self, item: Any, definition: Definition) -> Reference:
        """The record."""
        return Reference("record", (target_address(definition), item))

    def shape(self, definition: Definition) -> dict[str, Any]:
        """The target."""
        return {"type": self.name, "options": {"target": definition.get("options", {}).get("target")}}

    def compute(self, definition: Definition, record: RecordView, address: str, source: Source) -> Any:
        """The records whose stored side points here."""
        mirrored = definition["options"]["mirrors"]["ref"]
        app, _, _ = address.rpartition("worksheet/")
        worksheet, _, key = mirrored.rpartition("/field/")
        return source.referring(app + worksheet, key, [record.seq]).get(record.seq) or None

    def text(self, value: Any, definition: Definition, source: Any = None) -> str:
        return ", ".join(f"#{seq}" for seq in value or ())


class Subform(Relationship):
    """Rows of another worksheet that belong to their record and go with it."""

    name, title = "subform", "Subform"
    options: ClassVar[Any] = s.closed({"target": s.ref("worksheet"), "fields": s.listed(s.part_ref("worksheet", "field"), 100)},
                                      ["target"])

    def check_definition(self, definition: Definition) -> None:
        """Take any: it mirrors no field."""


class CascadingSelect(Relationship):
    """A way through a worksheet that is a tree: the numbers from its root to what was chosen."""

    name, title = "cascading_select", "Cascading select"
    options: ClassVar[Any] = s.closed({"target": TARGET, "parent_field": s.part_ref("worksheet", "field")}, ["target"])

    def check_definition(self, definition: Definition) -> None:
        """Take any: it mirrors no field."""


class File(_Items):
    """Files, each with the name it was uploaded under."""

    name, title = "file", "File"
    holds_files = True
    options: ClassVar[Any] = s.closed({"multiple": s.FLAG, "types": s.listed(s.text(100), 50), "max_size": s.whole(1, 2**31)})

    def item(self, value: Any) -> Any:
        """A file: {"file", "name", "size", "type"}."""
        if not isinstance(value, dict) or value.keys() != {"file", "name", "size", "type"}:
            raise InvalidValue("a file is an object with “file”, “name”, “size” and “type”.")
        name, size, kind = value["name"], value["size"], value["type"]
        if not isinstance(value["file"], str) or not _DIGEST.match(value["file"]):
            raise InvalidValue("a file is named by its SHA-256 in hexadecimal digits.")
        if not isinstance(name, str) or not 1 <= len(name) <= 255 or any(ord(c) < 32 or c in "/\\\x7f" for c in name):
            raise InvalidValue("a file's name has 1 to 255 characters, without slashes and control characters.")
        if type(size) is not int or not 0 <= size <= MAX_SAFE or not isinstance(kind, str) or not 1 <= len(kind) <= 200 \
                or not kind.isascii() or not kind.isprintable():
            raise InvalidValue("a file has a size in bytes and a media type.")
        return {"file": value["file"], "name": name, "size": size, "type": kind}

    def reference(self, item: Any, definition: Definition) -> Reference:
        """The content."""
        return Reference("file", item["file"])

    def shape(self, definition: Definition) -> dict[str, Any]:
        return {"type": self.name, "options": {}}

    def text(self, value: Any, definition: Definition, source: Any = None) -> str:
        return ", ".join(item["name"] for item in value or ())


class Signature(File):
    """A drawn signature: one image."""

    name, title = "signature", "Signature"
    options: ClassVar[Any] = s.closed({})

    def canonical(self, value: Any, definition: Definition) -> Any:
        """A list of one file."""
        items = super().canonical(value, definition)
        if items is not None and len(items) > 1:
            raise InvalidValue("there is one signature only.")
        return items


class FreeLink(_Items):
    """Any records of any worksheets of the app: {"ref": "worksheet/w_…/record/12"}."""

    name, title = "free_link", "Free link"
    options: ClassVar[Any] = s.closed({"multiple": s.FLAG})

    def canonical(self, value: Any, definition: Definition) -> Any:
        return super().canonical(value, definition)

    def item(self, value: Any) -> Any:
        """A record's address."""
        if not isinstance(value, dict) or value.keys() != {"ref"} or not isinstance(value["ref"], str) \
                or not _RECORD.match(value["ref"]):
            raise InvalidValue("it must name records as {\"ref\": \"worksheet/w_…/record/12\"}.")
        return {"ref": value["ref"]}

    def reference(self, item: Any, definition: Definition) -> Reference:
        """The record."""
        found = _RECORD.match(item["ref"])
        if found is None:
            raise InvalidValue("a free link has another form.")
        return Reference("record", (f"worksheet/{found[1]}", int(found[2])))

    def text(self, value: Any, definition: Definition, source: Any = None) -> str:
        return ", ".join(item["ref"].rpartition("/")[2] for item in value or ())


class Department(_Items):
    """Departments of the organization."""

    name, title = "department", "Department"
    options: ClassVar[Any] = s.closed({"multiple": s.FLAG})
    letter: ClassVar[str] = "d_"

    def item(self, value: Any) -> Any:
        """An address: {"org": "department/d_…"}."""
        if isinstance(value, dict) and value.keys() == {"org"} and isinstance(value["org"], str):
            kind, _, key = value["org"].partition("/")
            if kind == self.kind and KEY.match(key) and key.startswith(self.letter):
                return {"org": value["org"]}
        raise InvalidValue(f"it must name {self.title.lower()}s as {{\"org\": \"{self.kind}/{self.letter}…\"}}.")

    @property
    def kind(self) -> str:
        """The kind in addresses."""
        return self.name

    def reference(self, item: Any, definition: Definition) -> Reference:
        """The thing of the organization."""
        return Reference("org", item["org"])

    def shape(self, definition: Definition) -> dict[str, Any]:
        return {"type": self.name, "options": {}}

    def text(self, value: Any, definition: Definition, source: Any = None) -> str:
        return ", ".join(item["org"].partition("/")[2] for item in value or ())


class OrgRole(Department):
    """Roles of the organization as a whole."""

    name, title, letter = "org_role", "Org role", "r_"


class Member(Department):
    """People. They are values, not references: who left an organization still was who did it."""

    name, title, letter = "member", "Member", "u_"
    points = False

    @property
    def kind(self) -> str:
        """The kind in addresses."""
        return "user"

    def references(self, value: Any, definition: Definition) -> Iterable[Reference]:
        return ()


POINTERS = (Relationship(), Subform(), CascadingSelect(), File(), Signature(), FreeLink(), Department(), OrgRole(), Member())
