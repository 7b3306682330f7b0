"""When an effect is no longer what somebody agreed to: documents and lost references always, records only where they are many more."""

from __future__ import annotations

from typing import Any

import pytest

from core.backups import agreement
from core.base.errors import PlanChanged
from core.extension.data_report import CollectionReport, DataReport

ASKED = {"app": "a", "backup": "b", "config": True, "data": True}


Told = tuple[dict[str, Any], list[DataReport]]


def told(overwritten: int, *, lost: int = 0, sheet: str = "w_1", **documents: Any) -> Told:
    """Return what a plan tells of one worksheet: its documents, and its data."""
    collection = CollectionReport(key=sheet, name="Deals", overwritten=overwritten, unchanged=9, new_since=4)
    return {"worksheets": {"documents": {"unchanged": 3, **documents}}}, [DataReport(collections=[collection], references_count=lost)]


SHOWN = agreement.token(ASKED, *told(1000, lost=1))


@pytest.mark.parametrize("now", [told(1000, lost=1), told(1600, lost=1), told(0, lost=0), told(3, lost=1, added=[])])
def test_what_an_app_in_use_does_by_itself_stops_nobody(now: Told) -> None:
    """Half as many and a hundred records more, fewer records, fewer lost references: the same effect."""
    agreement.check(SHOWN, agreement.token(ASKED, *now))


@pytest.mark.parametrize(("now", "why"), [
    (told(1601, lost=1), "1601 records would be written where 1000 were shown"), (told(1000, lost=2), "2 references"),
    (told(1000, lost=1, changed=[{"document": "page/p_1"}]), "other documents"), (told(1000, lost=1, sheet="w_2"), "other documents or records")])
def test_what_matters_to_a_person_is_refused(now: Told, why: str) -> None:
    """Many more records, another lost reference, other documents or worksheets; the plan as it is now is told."""
    plan = agreement.token(ASKED, *now)
    with pytest.raises(PlanChanged, match=why) as refused:
        agreement.check(SHOWN, plan)
    assert plan == refused.value.details["plan"]


@pytest.mark.parametrize("made_up", ["", "x", "." * 50, SHOWN.split(".")[0], f"{SHOWN}.1", f"{SHOWN.split('.')[0]}.x.-1.{'9' * 400}"])
def test_a_name_that_was_made_up_is_no_agreement(made_up: str) -> None:
    """Refused in words, never a failure."""
    with pytest.raises(PlanChanged):
        agreement.check(made_up, agreement.token(ASKED, *told(1000, lost=1)))


def test_other_options_are_another_agreement() -> None:
    """What a proof is given for has the options in it, and not the numbers of records."""
    assert agreement.subject(SHOWN) == agreement.subject(agreement.token(ASKED, *told(7)))
    assert agreement.subject(SHOWN) != agreement.subject(agreement.token({**ASKED, "config": False}, *told(1000, lost=1)))
    assert 600 == agreement.more_written(SHOWN, agreement.token(ASKED, *told(1600)))
