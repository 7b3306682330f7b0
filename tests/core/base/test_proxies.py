"""Proxies: what trusted ones say is believed, what anybody else says is not. Pure, but for one page."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from core.base.config import read_config
from core.base.errors import InvalidInput
from core.base.proxies import Proxies, read_networks
from tests.conftest import opened_server
from tests.web import browser

PROXY, VISITOR = "10.0.0.5", "198.51.100.7"


def seen(headers: dict[str, str], *, peer: str = PROXY, trusted: str = "10.0.0.0/8, fd00::/8") -> tuple[str, str, str, dict[str, Any]]:
    """Return the address, scheme and host that a page sees, and all that it is given."""
    found: dict[str, Any] = {}

    def page(environ: dict[str, Any], _start: Any) -> list[bytes]:
        found.update(environ)
        return []

    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_HOST": "inside:8080",
               **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}}
    Proxies(page, read_networks(trusted))(environ, lambda *_: None)
    return found["REMOTE_ADDR"], found["wsgi.url_scheme"], found["HTTP_HOST"], found


SAID = {"X-Forwarded-For": VISITOR, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "apps.example.org"}


def test_a_trusted_proxy_says_whom_it_is_from_and_how() -> None:
    """In the headers that most write, and in the one of the standard."""
    assert (VISITOR, "https", "apps.example.org") == seen(SAID)[:3]
    assert (VISITOR, "https", "apps.example.org") == seen({"Forwarded": f'for="{VISITOR}:4711";proto=https;host=apps.example.org'})[:3]
    assert "2001:db8::1" == seen({"Forwarded": 'For="[2001:db8::1]:4711"'})[0]


@pytest.mark.parametrize("headers", [SAID, {"Forwarded": f"for={VISITOR};proto=https;host=evil"}, {"X-Real-IP": VISITOR}])
def test_nobody_else_is_believed(headers: dict[str, str]) -> None:
    """Not one who is no proxy, nor anybody where none is named; and no page finds what they said."""
    for trusted, peer in (("10.0.0.0/8", "203.0.113.1"), ("", PROXY)):
        address, scheme, host, found = seen(headers, peer=peer, trusted=trusted)
        assert (peer, "http", "inside:8080") == (address, scheme, host)
        assert not [name for name in found if "FORWARDED" in name or "REAL_IP" in name]


@pytest.mark.parametrize(("said", "address"), [
    (f"1.1.1.1, {VISITOR}", VISITOR), (f"1.1.1.1, {VISITOR}, 10.9.9.9", VISITOR), ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
    ("unknown", PROXY), (f"{VISITOR}, nonsense", PROXY), ("", PROXY), (f"::ffff:{VISITOR}", VISITOR)])
def test_what_a_visitor_wrote_before_the_proxies_is_not_believed(said: str, address: str) -> None:
    """The last address that is no proxy of ours counts."""
    assert address == seen({"X-Forwarded-For": said})[0]


@pytest.mark.parametrize("host", ["evil.example/path", "a b", "x\"y", "", "a" * 300, "user@host"])
def test_no_host_is_taken_that_is_none(host: str) -> None:
    """It stays the one that was asked for."""
    assert "inside:8080" == seen({"X-Forwarded-Host": host})[2]


def test_a_setting_that_is_no_network_is_refused() -> None:
    """At the start, in words."""
    with pytest.raises(InvalidInput, match="APPKEEP_TRUSTED_PROXIES"):
        read_config({"APPKEEP_TRUSTED_PROXIES": "everybody"})


def test_the_pages_of_a_server_behind_a_proxy_are_secure(home: Any, request: pytest.FixtureRequest) -> None:
    """Browsers are told to come by https only, as soon as the proxy says that they did; others' word for it is nothing."""
    for server in opened_server(home, "", trusted_proxies="10.0.0.0/8"):
        def told(server: Flask = server, peer: str = PROXY) -> bool:
            answer = browser(server).get("/static/icon.svg", headers={"X-Forwarded-Proto": "https"}, environ_overrides={"REMOTE_ADDR": peer})
            return "Strict-Transport-Security" in answer.headers

        assert told()
        assert not told(peer="203.0.113.1")
