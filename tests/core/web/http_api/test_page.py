"""The page of documentation: its script runs as printed, and what it says of scopes and bounds is so."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any
from urllib.request import Request

import pytest

from core.web import gate
from core.web.bearer import SCOPES
from core.web.http_api.operations import MAX_BODY_BYTES
from tests.core.web.backups.conftest import Place
from tests.program import Program

PAGE = Path(__file__).parents[4] / "docs/http-api.md"


def test_its_script_backs_an_app_up(place: Place, program: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Started twice on a day, it makes one backup."""
    script = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S)[0]
    for name, value in (("URL", "http://localhost"), ("TOKEN", program.token), ("APP", place.app_id)):
        monkeypatch.setenv(f"APPKEEP_{name}", value)

    def opened(request: Request) -> io.BytesIO:
        answer = program.client.open(request.full_url, method=request.get_method(), data=request.data, headers=dict(request.header_items()))
        assert answer.status_code < 300, answer.get_data(as_text=True)
        place.work()
        return io.BytesIO(answer.get_data())

    for _ in range(2):
        made: dict[str, Any] = {}
        exec(script.replace("from urllib.request import Request, urlopen", "from urllib.request import Request").replace("time.sleep(2)", "pass"),
             made | {"urlopen": opened})
    said = capsys.readouterr().out.split()
    assert ["succeeded", place.backups()[0].id] * 2 == said
    assert 1 == len(place.backups())


def test_what_it_says_is_so() -> None:
    """Scopes word for word, bounds by number."""
    text = PAGE.read_text()
    assert dict(SCOPES) == dict(re.findall(r"^\| `(\w+)` \| ([^|`]+) \|$", text, re.M))
    assert f"{MAX_BODY_BYTES // 1024**2} MB for a body" in text and f"{gate.TOKEN_REQUESTS.removesuffix('/minute')} requests a minute" in text
