"""A formula by itself, with given values: what other plugins calculate in the worksheets' language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.api import App, InvalidDocument, InvalidInput, now_us, zone_of
from plugins.worksheets.formula.evaluator import evaluate
from plugins.worksheets.formula.function import Failure, Surroundings
from plugins.worksheets.formula.parser import parse
from plugins.worksheets.formula.shown import shown
from plugins.worksheets.formula.values import CalculationFailed


def calculate(app: App, expression: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return {"value": …} of an expression whose fields have these values, as JSON; see the hook.

    Raises:
        InvalidInput: the expression is wrong, or has no value.
    """
    def read(path: tuple[str, ...]) -> Any:
        if len(path) != 1 or path[0] not in values:
            raise CalculationFailed("a value is not there")
        return _native(values[path[0]])

    now = datetime.fromtimestamp(now_us() / 1_000_000, UTC).astimezone(zone_of(app.organization_id))
    try:
        found = evaluate(parse(expression), read, Surroundings(now=now, seq=0))
        if isinstance(found, Failure):
            raise InvalidInput(f"The formula has no value: {found.reason}.")
        return {"value": shown(found)}
    except (InvalidDocument, CalculationFailed) as error:
        raise InvalidInput(f"The formula cannot be calculated: {getattr(error, 'message', error)}.") from error


def _native(value: Any) -> Any:
    """Return JSON as what formulas calculate with; texts that are numbers or dates count as such where that is asked for."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, list):
        return tuple(_native(one) for one in value)
    return value if value is None or isinstance(value, bool | str) else str(value)
