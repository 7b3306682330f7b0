"""What acts on backups tell: sentences, never names of settings, ids or raw times."""

from __future__ import annotations

from typing import Any

import pytest

from core.backups.log_sentences import act_sentence


@pytest.mark.parametrize(("act", "detail", "told"), [
    ("backup", {"data": True}, "With data"),
    ("backup", {"data": False}, "Configuration only"),
    ("upload", {"file": "x.appkeep.zip", "size_bytes": 12_300_000}, "x.appkeep.zip, 12.3 MB"),
    ("download", {"part": "both", "size_bytes": 2_000}, "Configuration and data, 2.0 kB"),
    ("download", {"part": "data", "from_byte": 1_000_000, "to_byte": 2_000_000}, "Data, continued at 1.0 MB"),
    ("rename", {"before": "A", "after": "B"}, "“A” became “B”"),
    ("check", {"deep": True}, "With a trial restore"),
    ("check", {"deep": False}, "Stored content only"),
    ("restore", {"config": True, "data": True, "only": []}, "Configuration and data"),
    ("restore", {"config": True, "data": False, "only": ["worksheet/w_1"]}, "Configuration, 1 chosen part"),
    ("cancel", {"run": "restore"}, "The restore"),
    ("schedule", {"schedule": "every Monday at 03:00", "data": True}, "Every Monday at 03:00, with data"),
    ("schedule", {"schedule": "off", "data": False}, "Turned off"),
    ("retention", {"last": 5, "daily": 7, "weekly": 0, "monthly": 0}, "Keeps the last 5, 7 daily"),
    ("retention", {"policy": "none"}, "All backups are kept"),
    ("pin", {"name": "First"}, ""),
    ("delete", {"name": "First", "reason": "not kept by any rule"}, "not kept by any rule"),
    ("pin", {"of_a_later_version": 3}, "of a later version: 3"),
])
def test_an_act_is_told_as_a_sentence(act: str, detail: dict[str, Any], told: str) -> None:
    """A reason says all; what this version does not know is listed rather than hidden."""
    assert told == act_sentence(act, detail)
