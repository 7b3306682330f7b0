"""Guess: which type of field holds a column, judged by all its cells in little memory. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any

from plugins.tabular import date_formats, text_formats
from plugins.tabular.cells import text_of
from plugins.tabular.formats import Format, Measured
from plugins.tabular.text_formats import Form

NUMBERS: tuple[type[Form], ...] = (text_formats.Checkbox, text_formats.Number, text_formats.Grouped, text_formats.Comma)
AMID_COMMAS: tuple[type[Form], ...] = (text_formats.Checkbox, text_formats.Number, text_formats.Listed, text_formats.Commas)
DATES: tuple[type[Form], ...] = (
    date_formats.IsoDate, date_formats.DayFirst, date_formats.MonthFirst, date_formats.Dotted, date_formats.NamedMonth)
MOMENTS: tuple[type[Form], ...] = (
    date_formats.IsoMoment, date_formats.DayFirstMoment, date_formats.MonthFirstMoment, date_formats.DottedMoment,
    date_formats.NamedMonthMoment)
WORDS: tuple[type[Form], ...] = (
    *DATES, *MOMENTS, date_formats.Clock, date_formats.Length, text_formats.Email, text_formats.Url, text_formats.Phone)
BY_HINT: dict[str, tuple[type[Form], ...]] = {
    "": (*NUMBERS, *WORDS), "text": WORDS, "checkbox": (text_formats.Bits, *NUMBERS, *WORDS)}
MARKS = frozenset((
    "", "NA", "N/A", "n/a", "n.a.", "N.A.", "<NA>", "NaN", "nan", "-nan", "-NaN", "NaT", "NULL", "null", "Null", "None", "nil", "NIL",
    "(null)", "(NULL)", "[NULL]", "\\N", "-", "--", "–", "—", ".", "?", "#N/A", "#N/A N/A", "#DIV/0!", "#NUM!", "#REF!", "#VALUE!",
    "#NAME?", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA", "0000-00-00", "0000-00-00 00:00:00", "0000-00-00 00:00:00.000000",
    "0000-00-00T00:00:00"))
"""What programs write where there is no value; kept as it is in a column of texts."""
MAX_CHOICES = 12
MAX_CHOICE_CHARS = 60
MAX_ASKED_CHOICES = 500
ROWS_A_CHOICE = 4
LONG_CHARS = 255
MAX_SEEN = 5000
PLAIN = Format()
_BREAK = re.compile(r"[\r\n]")
_AMBIGUOUS = {"number": "the commas of its numbers could stand before decimals or between thousands"}
READINGS: dict[str, tuple[str, tuple[type[Form], ...]]] = {
    "number": ("Number", (text_formats.Number, text_formats.Listed, text_formats.Comma)),
    "number-comma": ("Number, 1.234,50", (text_formats.Comma,)),
    "currency": ("Currency", (text_formats.Number, text_formats.Listed, text_formats.Comma)),
    "percent": ("Percent", (text_formats.Number, text_formats.Listed, text_formats.Comma)),
    "checkbox": ("Checkbox", (text_formats.Checkbox, text_formats.Bits)),
    "date": ("Date", (DATES)),
    "date-day-first": ("Date, day first", (date_formats.IsoDate, date_formats.DayFirst)),
    "date-month-first": ("Date, month first", (date_formats.IsoDate, date_formats.MonthFirst)),
    "datetime": ("Date and time", MOMENTS),
    "datetime-day-first": ("Date and time, day first", (date_formats.DayFirstMoment,)),
    "datetime-month-first": ("Date and time, month first", (date_formats.MonthFirstMoment,)),
    "time": ("Time", (date_formats.Clock,)), "duration": ("Duration", (date_formats.Length,)),
    "email": ("Email", (text_formats.Email,)), "url": ("URL", (text_formats.Url,)), "phone": ("Phone", ()),
    "single_select": ("Single select", ()), "text": ("Text", ()), "long_text": ("Long text", ())}
"""What a column can be asked to be: by name, what people call it and the ways in which its texts are read then."""
TEXTS = ("text", "long_text", "single_select", "phone")


@dataclass(frozen=True)
class Verdict:
    """What a column becomes: the field's type and options, what reads a text, and what people should know."""

    type: str
    options: dict[str, Any] = field(default_factory=dict)
    value: Callable[[str], Any] | None = None
    choices: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Guess:
    """What one column may be; it is shown every cell that holds something and is no bytes.

    *asked* names the one of `READINGS` that somebody wants; *commas* says whether commas divide the file's cells.
    """

    def __init__(self, hint: str = "", *, commas: bool = False, asked: str = "") -> None:
        self.filled = self.marks = 0
        self.asked = asked
        kinds = READINGS[asked][1] if asked else BY_HINT[hint]
        if commas and not asked and hint != "text":
            kinds = (*(kind for kind in kinds if kind not in NUMBERS), *AMID_COMMAS)
        self.forms: list[Form] = [form() for form in kinds]
        self.choices: dict[str, None] | None = {}
        self.long = False
        self.seen: set[str] = set()
        self.misfit = ""
        self.units: set[Format] = set()

    def see(self, cell: Any) -> None:
        """Take a cell into account."""
        self.filled += 1
        text = cell if type(cell) is str else self._measured(cell)
        if text not in self.seen:
            self._look(text)

    def see_all(self, cells: Sequence[Any]) -> None:
        """Take many cells into account."""
        self.filled += len(cells)
        texts = self._texts(cells)
        new = [text for text in dict.fromkeys(texts) if text not in self.seen]
        bare = list(map(str.strip, new))
        if not MARKS.isdisjoint(bare):
            for text in new:
                self._look(text, texts.count(text))
        elif new:
            self._look_at_all(new, bare)

    def _texts(self, cells: Sequence[Any]) -> Sequence[str]:
        """Return cells as text, see `_measured`."""
        kinds = set(map(type, cells))
        if kinds == {int}:
            self.units.add(PLAIN)
            return list(map(str, cells))
        return cells if kinds <= {str} else [cell if type(cell) is str else self._measured(cell) for cell in cells]

    def _look_at_all(self, new: list[str], bare: list[str]) -> None:
        """Look at different texts, of which none means that there is no value."""
        last = self.forms[-1:]
        self.forms = [form for form in self.forms if form.fits_all(bare)]
        if last and not self.forms:
            self.misfit = next((text for text in bare if not last[0].fits(text)), "")
        if len(self.seen) < MAX_SEEN:
            self.seen.update(new)
        self.long = self.long or max(map(len, new)) > LONG_CHARS or bool(_BREAK.search("".join(new)))
        for text in new if self.choices is not None else ():
            self._count_choice(text)

    def _measured(self, cell: Any) -> str:
        """Return a cell as text, and remember whether a sheet shows it as a share of a hundred, as money or as it is."""
        self.units.add(cell.unit if type(cell) is Measured else PLAIN)
        return text_of(cell)

    def _look(self, text: str, times: int = 1) -> None:
        bare = text.strip()
        if bare in MARKS:
            self.marks += times
        else:
            if self.forms:
                self.forms = [form for form in self.forms if form.fits(bare)]
                if not self.forms:
                    self.misfit = bare
            if len(self.seen) < MAX_SEEN:
                self.seen.add(text)
        self.long = self.long or len(text) > LONG_CHARS or "\n" in text or "\r" in text
        self._count_choice(text)

    def _count_choice(self, text: str) -> None:
        if self.choices is not None:
            self.choices[text] = None
            if len(self.choices) > (MAX_ASKED_CHOICES if self.asked else MAX_CHOICES) or len(text) > MAX_CHOICE_CHARS \
                    or not text.isprintable():
                self.choices = None

    def verdict(self, rows: int) -> Verdict:
        """Return what the column becomes, of so many rows in all."""
        if self.asked:
            return self._wanted()
        doubts: dict[str, str] = {}
        for form in self.forms if self.filled > self.marks else ():
            if form.family not in doubts:
                reason = self._doubt(form, rows)
                if not reason:
                    return self._typed(form, doubts)
                doubts[form.family] = reason
        return self._textual(tuple(f"{reason}; it is kept as text" for reason in doubts.values()))

    def _wanted(self) -> Verdict:
        """Return what somebody asked for.

        Raises:
            Misfit: not all cells can be read so.
        """
        kind = self.asked.partition("-")[0]
        if kind in TEXTS:
            if kind == "single_select":
                return Verdict(kind, choices=self._asked_choices())
            return Verdict("long_text" if self.long else kind)
        fitting = [form for form in self.forms if not form.doubt(0) or kind in ("number", "currency", "percent", "checkbox")]
        if self.filled == self.marks:
            fitting = self.forms[:1]
        if not fitting:
            raise Misfit(f"“{self.misfit[:60]}” does not fit this type" if self.misfit else "its values do not fit this type")
        found = self._typed(fitting[0], {})
        return replace(found, type=kind)

    def _asked_choices(self) -> tuple[str, ...]:
        if self.choices is None:
            raise Misfit(f"it has more than {MAX_ASKED_CHOICES} values, or one of more than {MAX_CHOICE_CHARS} characters")
        return tuple(sorted(self.choices))

    def _doubt(self, form: Form, rows: int) -> str:
        if form.rival and any(other.rival == form.rival and other is not form for other in self.forms):
            return _AMBIGUOUS.get(form.rival, form.rival)
        return form.doubt(rows - self.filled + self.marks)

    def _typed(self, form: Form, doubts: dict[str, str]) -> Verdict:
        notes = [f"{reason}; it became a {form.type} field" for reason in doubts.values()]
        if form.remark():
            notes.append(form.remark())
        if self.marks:
            notes.append(f"{self.marks} of its cells mean “no value” (NA, NULL and the like); they became empty")
        return self._shown(form, notes)

    def _shown(self, form: Form, notes: list[str]) -> Verdict:
        """Return a form's type; where a sheet shows all numbers so, percent or a currency."""
        kinds = {unit.kind for unit in self.units}
        if not isinstance(form, text_formats.Number) or kinds <= {""}:
            return Verdict(form.type, form.options(), form.value, notes=tuple(notes))
        currencies = {unit.currency for unit in self.units if unit.kind == "currency"}
        if kinds == {"percent"}:
            return Verdict("percent", {"decimals": max(form.decimals - 2, 0)}, partial(_hundredfold, form), notes=tuple(notes))
        if kinds == {"currency"} and len(currencies) == 1:
            form.decimals = max(form.decimals, *(min(unit.decimals, text_formats.MAX_DECIMALS) for unit in self.units), 0)
            code = currencies.pop()
            return Verdict("currency", {**form.options(), **({"currency": code} if code else {})}, form.value, notes=tuple(notes))
        shown = "as a share of a hundred; 7 % is 0.07 here" if "percent" in kinds else "as money, some in another currency or none"
        return Verdict(form.type, form.options(), form.value, notes=(*notes, f"some of its numbers are shown {shown}"))

    def _textual(self, notes: tuple[str, ...]) -> Verdict:
        if self.choices is not None and 2 <= len(self.choices) and self.filled >= ROWS_A_CHOICE * len(self.choices):
            return Verdict("single_select", choices=tuple(sorted(self.choices)), notes=notes)
        return Verdict("long_text" if self.long else "text", notes=notes)


def _hundredfold(form: text_formats.Number, text: str) -> Any:
    value = Decimal(form.value(text)).scaleb(2)
    decimals = max(form.decimals - 2, 0)
    return f"{value:.{decimals}f}" if decimals else int(value)


class Misfit(Exception):
    """A column cannot be what somebody asked for; the reason in words."""


def looks_typed(cell: Any) -> bool:
    """Say whether a cell is a number, a moment, an address: rather a value than a column's name."""
    return type(cell) is not str or any(form().fits(cell.strip()) for form in (*NUMBERS[1:], *WORDS))
