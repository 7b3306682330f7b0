"""The gate: what stands in an address is never more than a question that has an answer."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from werkzeug.exceptions import MethodNotAllowed, NotFound

from tests.web import make_organization, signed_in


@pytest.mark.parametrize("path", ["%00/", "apps/%00/", "members/%00", "members?q=a%00", "log?person=%00", "runs/%00", "notifications?before=%00"])
def test_an_address_with_a_nul_leads_nowhere(server: Flask, path: str) -> None:
    """On each engine: PostgreSQL knows no text with such a character in it."""
    made = make_organization("Example")
    path = f"/o/{path}" if path.startswith("%00") else f"/o/{made}/{path}"
    assert 404 == signed_in(server).get(path).status_code


def test_a_form_with_what_cannot_be_kept_is_refused(server: Flask) -> None:
    """With a sentence, not as a failure of the server."""
    made = make_organization("Example")
    client = signed_in(server)
    for path, data in (("departments/add", {"name": "Sales", "parent": "d\0"}), ("departments/add", {"name": "Sales", "parent": "d" * 5000})):
        assert client.post(f"/o/{made}/{path}", data=data).status_code in (404, 422)


def test_a_number_that_no_database_holds_leads_nowhere(sqlite_server: Flask) -> None:
    """Every address with a number in it says 404 to one of 64 bits and more, instead of failing where it is looked up."""
    here, tried = sqlite_server.url_map.bind("localhost"), 0
    for rule in sqlite_server.url_map.iter_rules():
        if "<int" not in rule.rule:
            continue
        tried += 1
        for number in (2**63, 10**30):
            path = re.sub(r"<int[^>]*>", str(number), rule.rule)
            path = re.sub(r"<any\((\w+)[^>]*>", r"\1", path)
            with pytest.raises((NotFound, MethodNotAllowed)):
                here.match(re.sub(r"<[^>]*>", "x", path), method="GET" if "GET" in (rule.methods or ()) else "POST")
    assert tried > 20
