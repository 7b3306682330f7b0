"""Location: a point on the earth."""

from __future__ import annotations

from typing import Any, ClassVar

from core.api import Definition, FieldType, InvalidValue
from core.api import schemas as s
from plugins.worksheets.fieldtypes.numbers import exact, fixed
from plugins.worksheets.fieldtypes.text import checked_text


class Location(FieldType):
    """Latitude and longitude as decimal text of at most seven decimals, and what the place is called."""

    name, title = "location", "Location"
    options: ClassVar[Any] = s.closed({})

    def canonical(self, value: Any, definition: Definition) -> Any:
        """{"lat", "lon", "label"?}."""
        if not isinstance(value, dict) or not {"lat", "lon"} <= value.keys() <= {"lat", "lon", "label"}:
            raise InvalidValue("it must be an object with “lat”, “lon” and, if you like, “label”.")
        found = {"lat": _degrees(value["lat"], 90), "lon": _degrees(value["lon"], 180)}
        label = checked_text(value.get("label", ""), 500)
        return found if label is None else {**found, "label": label}

    def text(self, value: Any, definition: Definition, source: Any = None) -> str:
        return "" if value is None else value.get("label") or f"{value['lat']}, {value['lon']}"


def _degrees(value: Any, most: int) -> str:
    if isinstance(value, bool):
        raise InvalidValue("degrees are a number.")
    number = exact(value)
    if abs(number) > most:
        raise InvalidValue(f"degrees lie within ±{most}.")
    text = fixed(number, 7).rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


PLACES = (Location(),)
