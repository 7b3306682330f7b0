"""Fields that hold moments: date, date-time, time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any, ClassVar

from core.api import Definition, FieldType, InvalidValue
from core.api import schemas as s

DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{0,5}[1-9])?Z\Z")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}\Z")


class _Moment(FieldType):
    def shape(self, definition: Definition) -> dict[str, Any]:
        """How it is shown does not change what it is."""
        return {"type": self.name, "options": {}}


class Date(_Moment):
    """A day: "2026-11-23"."""

    name, title = "date", "Date"
    options: ClassVar[Any] = s.closed({"format": s.text(40)})

    def canonical(self, value: Any, definition: Definition) -> Any:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
        if value == "":
            return None
        if not isinstance(value, str) or not DATE.match(value):
            raise InvalidValue("it must be a date such as 2026-11-23.")
        try:
            date.fromisoformat(value)
        except ValueError:
            raise InvalidValue(f"the date {value} does not exist.") from None
        return value


class DateTime(_Moment):
    """A moment in UTC: "2026-11-23T09:30:00Z", with up to six digits of parts of a second."""

    name, title = "datetime", "Date and time"
    options: ClassVar[Any] = s.closed({"format": s.text(40), "time_format": s.text(20), "time_zone": s.text(60), "show_zone": s.FLAG})

    def canonical(self, value: Any, definition: Definition) -> Any:
        """Any offset is taken and turned into UTC, none is UTC."""
        if value == "":
            return None
        moment = value if isinstance(value, datetime) else self._parsed(value)
        if isinstance(value, str) and MOMENT.match(value):
            return value
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        whole = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
        parts = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
        return f"{whole}{parts}Z"

    def _parsed(self, value: Any) -> datetime:
        if not isinstance(value, str) or len(value) > 40:
            raise InvalidValue("it must be a date and time such as 2026-11-23T09:30:00Z.")
        try:
            moment = datetime.fromisoformat(value)
            moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise InvalidValue(f"“{value}” is not a date and time such as 2026-11-23T09:30:00Z.") from None
        return moment


class Time(_Moment):
    """A time of day: "09:30:00"."""

    name, title = "time", "Time"
    options: ClassVar[Any] = s.closed({"format": s.text(20)})

    def canonical(self, value: Any, definition: Definition) -> Any:
        if value == "":
            return None
        if isinstance(value, str) and re.match(r"[0-9]{2}:[0-9]{2}\Z", value):
            value += ":00"
        if not isinstance(value, str) or not _TIME.match(value):
            raise InvalidValue("it must be a time of day such as 09:30:00.")
        try:
            time.fromisoformat(value)
        except ValueError:
            raise InvalidValue(f"the time {value} does not exist.") from None
        return value


TIMES = (Date(), DateTime(), Time())
