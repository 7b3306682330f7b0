"""Fields that hold text: text, long text, rich text, email, phone, URL, identity number, region."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from core.api import Definition, FieldType, InvalidValue
from core.api import schemas as s

MAX_TEXT = 50_000
MAX_LONG_TEXT = 60_000
_SCHEMES = ("http://", "https://", "mailto:", "tel:", "ftp://")


def checked_text(value: Any, longest: int) -> str | None:
    """Return a text that can be stored, None when it is empty.

    Raises:
        InvalidValue: it is no text, too long, or holds characters that cannot be stored.
    """
    if not isinstance(value, str):
        raise InvalidValue("it must be text.")
    if len(value) > longest:
        raise InvalidValue(f"it has {len(value)} characters; the maximum is {longest}.")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidValue("it holds half of a character.") from None
    if "\0" in value:
        raise InvalidValue("it holds the character U+0000.")
    return value or None


class Text(FieldType):
    """One line or a few words."""

    name, title = "text", "Text"
    longest: ClassVar[int] = MAX_TEXT
    options: ClassVar[Any] = s.closed({"max_length": s.whole(1, MAX_TEXT)})

    def canonical(self, value: Any, definition: Definition) -> Any:
        """Text as it is."""
        return checked_text(value, definition.get("options", {}).get("max_length", self.longest))


class LongText(Text):
    """Text of several lines."""

    name, title = "long_text", "Long text"
    longest = MAX_LONG_TEXT
    options: ClassVar[Any] = s.closed({"max_length": s.whole(1, MAX_LONG_TEXT)})


class RichText(LongText):
    """Text with marks (Markdown or HTML) that is kept as it came and never trusted."""

    name, title = "rich_text", "Rich text"
    options: ClassVar[Any] = s.closed({"max_length": s.whole(1, MAX_LONG_TEXT), "format": s.one_of("markdown", "html")})


class Email(Text):
    """An email address, checked for its form only."""

    name, title = "email", "Email"
    options: ClassVar[Any] = s.closed({})
    form: ClassVar[re.Pattern[str]] = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}\Z")
    what: ClassVar[str] = "an email address"

    def canonical(self, value: Any, definition: Definition) -> Any:
        text = checked_text(value, 320)
        if text is not None and not self.form.match(text):
            raise InvalidValue(f"“{text[:60]}” is not {self.what}.")
        return text


class Phone(Email):
    """A phone number as people write it."""

    name, title = "phone", "Phone"
    form = re.compile(r"[0-9+()./ x#*,;-]{2,100}\Z", re.IGNORECASE)
    what = "a phone number"


class IdentityNumber(Email):
    """The number of a document that identifies a person."""

    name, title = "identity_number", "Identity number"
    form = re.compile(r"[0-9A-Za-z][0-9A-Za-z ./-]{0,63}\Z")
    what = "an identity number"


class Url(Text):
    """A link; only schemes that do not run anything."""

    name, title = "url", "URL"
    options: ClassVar[Any] = s.closed({})

    def canonical(self, value: Any, definition: Definition) -> Any:
        text = checked_text(value, 8000)
        if text is None:
            return None
        if any(ord(char) < 33 for char in text) or (":" in text.split("/")[0].split("?")[0]
                                                   and not text.lower().startswith(_SCHEMES)
                                                   and not re.match(r"[^:]+:\d{1,5}(?:[/?#]|\Z)", text)):
            raise InvalidValue(f"“{text[:60]}” is not a safe link. Enter one that starts with https://.")
        return text


class Region(FieldType):
    """Where something lies, from large to small: country, state, city."""

    name, title = "region", "Region"
    options: ClassVar[Any] = s.closed({"levels": s.whole(1, 6)})

    def canonical(self, value: Any, definition: Definition) -> Any:
        """A list of texts."""
        if not isinstance(value, list | tuple) or len(value) > 6:
            raise InvalidValue("it must be a list of at most six names, the largest first.")
        names = [checked_text(name, 200) for name in value]
        if any(name is None for name in names):
            raise InvalidValue("none of its names may be empty.")
        return names or None

    def text(self, value: Any, definition: Definition, source: Any = None) -> str:
        return ", ".join(value or ())


class Imported(FieldType):
    """What another platform had computed or kept and cannot be computed here: its definition and last values, to read only."""

    name, title = "imported", "Imported, read only"
    writable = False
    options: ClassVar[Any] = s.closed({"source": s.text(50_000), "original_type": s.text(100)})

    def canonical(self, value: Any, definition: Definition) -> Any:
        """A text, or a list of texts."""
        if isinstance(value, list | tuple):
            texts = [checked_text(one, 10_000) or "" for one in value]
            if sum(map(len, texts)) > MAX_LONG_TEXT or len(texts) > 5000:
                raise InvalidValue("its texts are too long together.")
            return texts or None
        return checked_text(value, MAX_LONG_TEXT)

    def text(self, value: Any, definition: Definition, source: Any = None) -> str:
        return ", ".join(value) if isinstance(value, list) else str(value or "")


WORDS = (Text(), LongText(), RichText(), Email(), Phone(), Url(), IdentityNumber(), Region(), Imported())
