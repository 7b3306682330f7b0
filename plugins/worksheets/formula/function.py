"""What a function of the formula language is, and what surrounds one calculation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.api import budget
from plugins.worksheets.formula.values import CalculationFailed

MANY = 1_000
MAX_WORK = 1_000_000


@dataclass(frozen=True, slots=True)
class Failure:
    """Stands where a value could not be calculated; whatever uses it fails alike, unless it is tolerant."""

    reason: str


@dataclass(slots=True)
class Surroundings:
    """What a calculation may know besides its values: the moment, the record's number, and the work left."""

    now: datetime
    seq: int
    work: int = field(default=MAX_WORK)
    budget: budget.Budget | None = field(default_factory=budget.current)

    def spend(self, amount: int) -> None:
        """Count work done: about one for each value and each character made.

        Raises:
            CalculationFailed: the formula has done more than one may.
            BudgetSpent: the request has done more than one may.
        """
        if self.budget is not None:
            self.budget.spend(amount)
        self.work -= amount
        if self.work < 0:
            raise CalculationFailed("the formula takes too long")


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """One function: what it is called, what calculates it, and how people are told to use it.

    A function of single values is applied to each item of a list given in place of one. `takes_lists`: it gets
    lists whole instead. `tolerant`: it is called with `Failure` among its arguments. `surrounded`: its first
    argument are the `Surroundings`.
    """

    name: str
    call: Callable[..., Any]
    least: int
    most: int
    usage: str
    says: str
    takes_lists: bool = False
    tolerant: bool = False
    surrounded: bool = False
