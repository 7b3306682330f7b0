"""Fields without a value of their own: layout items, and fields computed from others."""

from __future__ import annotations

from typing import Any, ClassVar

from core.api import Definition, FieldType, InvalidDocument, RecordView, Source
from core.api import schemas as s
from plugins.worksheets.formula import check_expression, check_template, derived

FIELD = s.part_ref("worksheet", "field")
FORMAT = s.closed({
    "type": s.one_of("text", "number", "date", "datetime", "checkbox", "duration", "url", "list", "file"),
    "decimals": s.whole(0, 10), "pattern": s.text(60), "time_zone": s.text(60)})


class _Layout(FieldType):
    stored = False


class Section(_Layout):
    """A heading that groups the fields after it."""

    name, title = "section", "Section"
    options: ClassVar[Any] = s.closed({"collapsed": s.FLAG, "level": s.whole(1, 3)})


class Divider(_Layout):
    """A line between fields."""

    name, title = "divider", "Divider"
    options: ClassVar[Any] = s.closed({"style": s.text(20), "colour": s.COLOUR})


class Remark(_Layout):
    """A text that explains."""

    name, title = "remark", "Remark"
    options: ClassVar[Any] = s.closed({"text": s.text(20_000), "format": s.one_of("plain", "markdown")})


class Barcode(_Layout):
    """A bar or QR code of another field, or of the record's address."""

    name, title = "barcode", "Barcode"
    options: ClassVar[Any] = s.closed({"form": s.one_of("qr", "code128", "ean13"), "of": FIELD, "record": s.FLAG})


class Embed(_Layout):
    """Another page inside the record."""

    name, title = "embed", "Embed"
    options: ClassVar[Any] = s.closed({"url": s.text(2000), "height": s.whole(50, 2000), "uses": s.listed(FIELD, 50)})


class _Derived(FieldType):
    stored, derived, writable = False, True, False
    work: ClassVar[Any]

    def compute(self, definition: Definition, record: RecordView, address: str, source: Source) -> Any:
        return type(self).work(definition, record, address, source)


class Formula(_Derived):
    """What a formula makes of other fields; `uses` names every field it reads, so that pointers are found."""

    name, title = "formula", "Formula"
    work = staticmethod(derived.compute_formula)
    options: ClassVar[Any] = s.closed({"expression": s.text(20_000), "uses": s.listed(FIELD, 500), "format": FORMAT}, ["expression"])

    def check_definition(self, definition: Definition) -> None:
        self._check(definition, strict=False)

    def check_new(self, definition: Definition) -> None:
        """Refuse functions that nothing here brings: a restore may bring them back, somebody who writes a formula has mistyped."""
        self._check(definition, strict=True)

    def _check(self, definition: Definition, *, strict: bool) -> None:
        try:
            check_expression(definition["options"]["expression"], strict=strict)
        except InvalidDocument as error:
            raise InvalidDocument(f"Field “{definition['name']}”: {error.message}", **error.details) from error


class TextCombination(_Derived):
    """A text with the values of other fields in it."""

    name, title = "text_combination", "Text combination"
    work = staticmethod(derived.compute_combination)
    options: ClassVar[Any] = s.closed({"template": s.text(20_000), "uses": s.listed(FIELD, 500)}, ["template"])

    def check_definition(self, definition: Definition) -> None:
        try:
            check_template(definition["options"]["template"])
        except InvalidDocument as error:
            raise InvalidDocument(f"Field “{definition['name']}”: {error.message}", **error.details) from error


class Lookup(_Derived):
    """The values of a field of the linked records."""

    name, title = "lookup", "Lookup"
    work = staticmethod(derived.compute_lookup)
    options: ClassVar[Any] = s.closed({"through": FIELD, "target": FIELD}, ["through", "target"])


class Rollup(_Derived):
    """One value made of the values of a field of the linked records."""

    name, title = "rollup", "Rollup"
    work = staticmethod(derived.compute_rollup)
    options: ClassVar[Any] = s.closed({
        "through": FIELD, "target": FIELD, "function": s.one_of(*derived.ROLLUPS), "format": FORMAT,
    }, ["through", "target", "function"])


class Count(_Derived):
    """How many records are linked."""

    name, title = "count", "Count"
    work = staticmethod(derived.compute_count)
    options: ClassVar[Any] = s.closed({"through": FIELD}, ["through"])


class _FromRecord(_Derived):
    options: ClassVar[Any] = s.closed({"format": s.text(40)})
    of: ClassVar[str]

    def compute(self, definition: Definition, record: RecordView, address: str, source: Source) -> Any:
        """Microseconds since 1970, or a person's id."""
        return getattr(record, self.of)


class CreatedTime(_FromRecord):
    """When the record was made."""

    name, title, of = "created_time", "Created time", "created_at"


class CreatedBy(_FromRecord):
    """Who made the record."""

    name, title, of = "created_by", "Created by", "created_by"


class ModifiedTime(_FromRecord):
    """When the record was last changed."""

    name, title, of = "modified_time", "Modified time", "updated_at"


class ModifiedBy(_FromRecord):
    """Who changed the record last."""

    name, title, of = "modified_by", "Modified by", "updated_by"


LAYOUT = (Section(), Divider(), Remark(), Barcode(), Embed())
DERIVED = (Formula(), TextCombination(), Lookup(), Rollup(), Count(), CreatedTime(), CreatedBy(), ModifiedTime(), ModifiedBy())
