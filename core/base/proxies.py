"""Proxies in front of the server: whom the request is from, and how it was asked for, as the trusted ones say. No Flask, no SQL."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
HEADERS = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT",
           "HTTP_X_FORWARDED_BY", "HTTP_X_FORWARDED_PREFIX", "HTTP_X_REAL_IP")
"""What proxies say; from anybody else it is taken out before a page could believe it."""
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?\Z")
_PAIR = re.compile(r'\s*([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;,\s"]*))\s*')


def read_networks(text: str) -> tuple[Network, ...]:
    """Return the networks that a setting names, "10.0.0.0/8, 192.0.2.1".

    Raises:
        ValueError: one of them is none.
    """
    return tuple(ipaddress.ip_network(one.strip()) for one in text.split(",") if one.strip())


class Proxies:
    """A WSGI application behind proxies.

    Args:
        app: What they lead to.
        trusted: The networks of those that are believed.
    """

    def __init__(self, app: Callable[..., Any], trusted: Sequence[Network]) -> None:
        self.app, self.trusted = app, trusted

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Answer a request; see PEP 3333."""
        said = {name: environ.pop(name) for name in HEADERS if name in environ}
        if said and self.is_trusted(str(environ.get("REMOTE_ADDR", ""))):
            self._believe(environ, said)
        return self.app(environ, start_response)

    def is_trusted(self, address: str) -> bool:
        """Say whether an address is one of the proxies'."""
        found = _address(address)
        return found is not None and any(found in network for network in self.trusted)

    def _believe(self, environ: dict[str, Any], said: Mapping[str, str]) -> None:
        """Take over what the nearest proxy says; of the addresses, the last one that is no proxy of ours."""
        hops = _forwarded(said["HTTP_FORWARDED"]) if "HTTP_FORWARDED" in said else _x_forwarded(said)
        for hop in reversed(hops):
            address = _address(hop.get("for", ""))
            if address is None:
                break  # hidden, or nonsense: whoever passed it on is the last that is known
            environ["REMOTE_ADDR"] = str(address)
            if not self.is_trusted(str(address)):
                break
        last = hops[-1] if hops else {}
        if last.get("proto") in ("http", "https"):
            environ["wsgi.url_scheme"] = last["proto"]
        if _HOST.match(last.get("host", "")):
            environ["HTTP_HOST"] = last["host"]


def _x_forwarded(said: Mapping[str, str]) -> list[dict[str, str]]:
    hops = [{"for": one.strip()} for one in said.get("HTTP_X_FORWARDED_FOR", "").split(",") if one.strip()] or [{}]
    for name in ("proto", "host"):
        hops[-1][name] = said.get(f"HTTP_X_FORWARDED_{name.upper()}", "").split(",")[-1].strip()
    return hops


def _forwarded(text: str) -> list[dict[str, str]]:
    """Return what each proxy says, the farthest first (RFC 7239)."""
    return [dict(_pairs(hop)) for hop in re.split(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', text[:4000])]


def _pairs(hop: str) -> Iterable[tuple[str, str]]:
    for match in _PAIR.finditer(hop):
        value = match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
        yield match[1].lower(), value


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address, written with a port or not; one of IPv4 in IPv6 as what it is."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found
