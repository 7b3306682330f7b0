"""Forms: ways in which all texts of a column may be read. Each sees every text once and then knows its options. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

MAX_SAFE = 2**53 - 1
_SHORT_WHOLE = re.compile(r"(?:0|[1-9][0-9]{0,14})\Z")
_SHORT_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,14})\.[0-9]{1,30}\Z")
MAX_DECIMALS = 20
MAX_DIGITS = 30


class Form:
    """One way to read a column's texts; an instance serves one column.

    Of a `family` only the first that fits is considered. Two that share a `rival` read the same texts
    differently: where both fit, nobody can tell which was meant.
    """

    type: ClassVar[str]
    family: ClassVar[str]
    rival: ClassVar[str] = ""

    def fits(self, text: str) -> bool:
        """Say whether a text, never empty and without space around it, can be read so; remember what matters of it."""
        raise NotImplementedError

    def fits_all(self, texts: Sequence[str]) -> bool:
        """Say whether `fits` does of every one of some texts; it may not be asked of all where it does not."""
        return all(map(self.fits, texts))

    def doubt(self, blanks: int) -> str:
        """Return why the column should not be read so although all texts fit; *blanks* cells hold nothing."""
        return ""

    def remark(self) -> str:
        """Return what a person should know of the reading."""
        return ""

    def options(self) -> dict[str, Any]:
        """Return the options of the field."""
        return {}

    def value(self, text: str) -> Any:
        """Return the value that a text stands for, as the field takes it."""
        return text


class Number(Form):
    """Numbers as programs write them; a leading zero makes a text (postcodes, telephone numbers)."""

    type, family = "number", "number"
    mark: ClassVar[str] = "."
    """What stands before decimals."""
    pattern: ClassVar[re.Pattern[str]] = re.compile(r"-?(?:0|[1-9][0-9]*|(?=\.))(?:\.[0-9]+)?(?:[eE][+-][0-9]{1,2})?\Z")

    def __init__(self) -> None:
        self.decimals, self.digits, self.largest = 0, 0, 0
        self.lengths: set[int] = set()
        self.closing_zero, self.short = False, True
        self.grouped_so = self.ungrouped = False

    def fits_all(self, texts: Sequence[str]) -> bool:
        if not all(map(_SHORT_WHOLE.match, texts)):
            return self._fit_with_decimals(texts) or all(map(self.fits, texts))
        # Whole numbers of few digits tell nothing but how long they are.
        longest = max(map(len, texts))
        self.digits = max(self.digits, longest)
        self.ungrouped = self.ungrouped or longest > 3
        self.short = self.short and longest <= 3
        return True

    def _fit_with_decimals(self, texts: Sequence[str]) -> bool:
        """Say whether all are short numbers with decimals, never three, and so none grouped; remember what matters of them."""
        if self.mark != "." or not all(map(_SHORT_DECIMAL.match, texts)):
            return False
        sizes = list(map(len, texts))
        lengths = [size - text.index(".") - 1 for size, text in zip(sizes, texts, strict=True)]
        if 3 in lengths:
            return False
        whole = max(map(int.__sub__, sizes, lengths)) - 1
        self.ungrouped = True
        self.lengths.update(lengths)
        self.decimals = max(self.decimals, *self.lengths)
        self.closing_zero = self.closing_zero or any(length > 1 and text[-1] == "0" for length, text in zip(lengths, texts, strict=True))
        self.digits = max(self.digits, whole)
        self.short = self.short and whole <= 3 and self.decimals <= 3
        return True

    def fits(self, text: str) -> bool:
        if len(text) > 400 or not self.pattern.match(text):
            return False
        whole, _, fraction = self.plain(text).partition(".")
        whole = whole.lstrip("-")
        grouped = len(fraction) == 3 and 0 < len(whole) <= 3 and whole != "0" and "e" not in text.lower()
        self.grouped_so = self.grouped_so or grouped
        self.ungrouped = self.ungrouped or (not grouped and (bool(fraction) or len(whole) > 3))
        if fraction:
            self.lengths.add(len(fraction))
            self.decimals = max(self.decimals, len(fraction))
            self.closing_zero = self.closing_zero or (len(fraction) > 1 and fraction[-1] == "0" and "e" not in text.lower())
        self.digits = max(self.digits, len(whole))
        self.short = self.short and len(whole) <= 3 and len(fraction) <= 3 and text[0] not in "-."
        if len(whole) > 15:
            self.largest = max(self.largest, int(whole))
        return True

    def remark(self) -> str:
        """1.234 may be one and a bit, or a thousand and more."""
        if not self.grouped_so or self.ungrouped:
            return ""
        return f"its numbers, such as 1{self.mark}234, were read with decimals; the “{self.mark}” could stand between thousands"

    def plain(self, text: str) -> str:
        """Return a fitting text as digits with a point."""
        if "e" in text or "E" in text:
            text = format(Decimal(text), "f")
        return text.replace(".", "0.", 1) if text.startswith((".", "-.")) else text

    def doubt(self, blanks: int) -> str:
        """What a number field cannot hold exactly."""
        if self.decimals > MAX_DECIMALS:
            return f"some of its numbers have more than {MAX_DECIMALS} decimals"
        if self.digits > MAX_DIGITS:
            return f"some of its numbers have more than {MAX_DIGITS} digits"
        if self.closing_zero and self.short and len(self.lengths) > 1 and not self.rival:
            return "its numbers have closing zeros and different numbers of decimals, as versions have (1.9, 1.10)"
        return "some of its whole numbers lie beyond ±2^53" if not self.decimals and self.largest > MAX_SAFE else ""

    def options(self) -> dict[str, Any]:
        return {"decimals": self.decimals}

    def value(self, text: str) -> Any:
        """A whole number, or text with just as many decimals as the column has."""
        if not self.decimals:
            return int(self.plain(text))
        whole, _, fraction = self.plain(text).partition(".")
        return f"{whole}.{fraction:0<{self.decimals}}"


class Grouped(Number):
    """Numbers with commas between thousands: 1,234.50."""

    rival = "number"
    pattern = re.compile(r"-?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.[0-9]+)?\Z")

    def plain(self, text: str) -> str:
        return text.replace(",", "")


class Listed(Grouped):
    """Numbers with commas between thousands in a file whose cells are divided by commas, where no other reading is likely."""

    rival = ""

    def __init__(self) -> None:
        super().__init__()
        self.short, self.grouped = False, False

    def fits(self, text: str) -> bool:
        self.grouped = self.grouped or "," in text
        return super().fits(text)

    def remark(self) -> str:
        return "the commas of its numbers were read as standing between thousands" if self.grouped and not self.decimals else ""


class Comma(Number):
    """Numbers with a comma before decimals: 1.234,50."""

    rival, mark = "number", ","
    pattern = re.compile(r"-?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:\.[0-9]{3})+)(?:,[0-9]+)?\Z")

    def plain(self, text: str) -> str:
        return text.replace(".", "").replace(",", ".")


class Commas(Comma):
    """Numbers with a comma before decimals in a file whose cells are divided by commas: all must have one."""

    rival = ""

    def __init__(self) -> None:
        super().__init__()
        self.short, self.bare = False, False

    def fits_all(self, texts: Sequence[str]) -> bool:
        return all(map(self.fits, texts))

    def fits(self, text: str) -> bool:
        self.bare = self.bare or "," not in text
        return super().fits(text)

    def doubt(self, blanks: int) -> str:
        """Where some have a comma and some have none, it may stand between two numbers."""
        return "the commas in some of its cells could stand between two numbers" if self.bare else super().doubt(blanks)


ALONE = frozenset(("no", "on", "off"))
"""Words of yes and no that alone in a column say something else as well."""


class Checkbox(Form):
    """Yes or no, said in one pair of words throughout."""

    type, family = "checkbox", "checkbox"
    pairs: ClassVar[tuple[tuple[str, str], ...]] = (
        ("true", "false"), ("yes", "no"), ("on", "off"), ("y", "n"), ("t", "f"))

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.left = list(self.pairs)

    def fits(self, text: str) -> bool:
        word = text.lower()
        self.left = [pair for pair in self.left if word in pair]
        self.seen.add(word)
        return bool(self.left)

    def doubt(self, blanks: int) -> str:
        """A checkbox has no third state, and a single letter alone says little."""
        yes, no = self.left[0]
        if blanks and no in self.seen:
            return "some of its cells are empty, which a checkbox cannot tell from no"
        if len(self.seen) == 1 and (len(yes) == 1 or self.seen & ALONE):
            return "it has one letter only" if len(yes) == 1 else "it has one word only, which may be a code (Norway is NO)"
        return ""

    def value(self, text: str) -> Any:
        return text.lower() in {pair[0] for pair in self.left[:1]}


class Bits(Checkbox):
    """Yes or no as 1 and 0, where the file declares them so."""

    family = "bits"
    pairs = (("1", "0"),)

    def doubt(self, blanks: int) -> str:
        return "some of its cells are empty, which a checkbox cannot tell from no" if blanks and "0" in self.seen else ""


class Email(Form):
    """Email addresses."""

    type, family = "email", "email"
    pattern: ClassVar[re.Pattern[str]] = re.compile(r"[^@\s<>,;:]{1,64}@[^@\s<>,;:]{1,200}\.[^@\s<>,;:.]{2,50}\Z")

    def fits(self, text: str) -> bool:
        return self.pattern.match(text) is not None

    def fits_all(self, texts: Sequence[str]) -> bool:
        return all(map(self.pattern.match, texts))


class Url(Email):
    """Links that say their scheme."""

    type, family = "url", "url"
    pattern = re.compile(r"(?i:https?|ftp)://[^\s\x00-\x20]{1,7900}\Z")


class Phone(Email):
    """Telephone numbers with the country's number, which only they have."""

    type, family = "phone", "phone"
    pattern = re.compile(r"\+[0-9][0-9()./ -]{5,40}\Z")
