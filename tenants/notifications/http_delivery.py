"""Calling an address that somebody typed in, without letting them reach what only this server reaches.

A name is looked up once, every address found is judged, and the connection goes to the very address that was judged: a name
that leads elsewhere a moment later gains nothing. Redirects are not followed, and the whole call has an end. No Flask, no SQL.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from core.api import InvalidInput

TIMEOUT_S = 10
MOST_URL_CHARS = 500
_SPECIAL_V4 = tuple(map(ipaddress.IPv4Network, (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
    "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4")))
"""IANA's IPv4 special-purpose registry, with multicast and what is reserved; also where it says "globally reachable": nobody's server."""
_SPECIAL_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")))
"""What IANA's IPv6 special-purpose registry takes out of the unicast space: Teredo, ORCHID, documentation, 6to4, AS112."""
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
"""All that was ever given out to networks; the rest is this machine's, a link's, a site's, for many, or nobody's."""
_HOLD_V4 = tuple(map(ipaddress.IPv6Network, ("::ffff:0:0/96", "64:ff9b::/96")))
"""Other ways to write an IPv4 address, in the last 32 bits: mapped ones and NAT64."""
_ISATAP = (0x00005EFE, 0x02005EFE)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class CallFailed(Exception):
    """The address could not be called, or did not answer that it took the message; the text says why."""


class CallRefused(CallFailed):
    """The address may not be called: trying again is of no use."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: the status, what goes with it, and the first bytes of the body, of a type such as "application/json"."""

    status: int
    said: str
    body: bytes
    type: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads: host and port to call, and the path to ask for."""

    secure: bool
    host: str
    port: int
    path: str
    named: str
    """What the Host header says."""


def checked_url(url: str, *, private: bool) -> str:
    """Return the address of a webhook, trimmed.

    Args:
        url: What somebody typed.
        private: Whether addresses inside one's own network may be called.

    Raises:
        InvalidInput: it is none, or leads into the server's own network.
    """
    found = url.strip()
    host = place(found).host
    if private:
        return found
    inside = InvalidInput(
        "This address is in the server’s own network. Webhooks go there only if the server’s settings allow it.")
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        raise inside
    with contextlib.suppress(OSError):  # a name, not a number: judged when it is called, by what it leads to then
        numbers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        if not all(reachable(ipaddress.ip_address(str(one[4][0]).partition("%")[0])) for one in numbers):
            raise inside
    return found


def place(url: str) -> Place:
    """Return where a URL leads.

    Raises:
        InvalidInput: it is no address of a web server.
    """
    wrong = InvalidInput(f"Enter an address that starts with https:// or http://, up to {MOST_URL_CHARS} characters.")
    if len(url) > MOST_URL_CHARS or any(ord(char) <= 32 or ord(char) == 127 for char in url):
        raise wrong
    try:
        parts = urlsplit(url)
        return _place(parts)
    except ValueError as error:
        raise wrong from error


def _place(parts: SplitResult) -> Place:
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.password is not None:
        raise ValueError(parts.scheme)
    host = parts.hostname.rstrip(".")
    if ":" not in host:
        host = host.encode("idna").decode() if not host.isascii() else host
    if not host or len(host) > 253 or "%" in host:
        raise ValueError(host)
    port = parts.port if parts.port is not None else {"http": 80, "https": 443}[parts.scheme]
    if not 1 <= port <= 65535:
        raise ValueError(port)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    path.encode("ascii")
    usual = port == {"http": 80, "https": 443}[parts.scheme]
    bracketed = f"[{host}]" if ":" in host else host
    return Place(parts.scheme == "https", host, port, path, bracketed if usual else f"{bracketed}:{port}")


def reachable(address: Address) -> bool:
    """Say whether an address is one of the open network: not this machine's, not a private one, nor one that hides such a one."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in network for network in _HOLD_V4):
        return reachable(last)
    if address not in _UNICAST_V6 or any(address in network for network in _SPECIAL_V6):
        return False
    return int(address) >> 32 & 0xFFFFFFFF not in _ISATAP or reachable(last)


def post(url: str, body: bytes, headers: Mapping[str, str], *, private: bool, timeout_s: float = TIMEOUT_S) -> str:
    """Send a message and return what was answered: "200 OK".

    Raises:
        CallFailed: nobody was reached, or the answer is not one of success.
    """
    answer = call("POST", url, body, headers, private=private, timeout_s=timeout_s, most_bytes=0)
    if not 200 <= answer.status < 300:
        raise CallFailed(f"Responded with {answer.said}" + ("; redirects are not followed" if 300 <= answer.status < 400 else ""))
    return answer.said


def call(method: str, url: str, body: bytes | None, headers: Mapping[str, str], *, private: bool, most_bytes: int,
         timeout_s: float = TIMEOUT_S) -> Answer:
    """Send a request and return what was answered, whatever it is; redirects are not followed.

    Raises:
        CallFailed: nobody was reached, or the answer took too long.
        CallRefused: the address is none, or leads into the server's own network.
    """
    try:
        where = place(url)
        found = _judged(where, private=private)
        return _call(method, where, found, body, headers, timeout_s, most_bytes)
    except InvalidInput as error:
        raise CallRefused(error.message) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        said = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise CallFailed(f"Could not connect:  {_printable(str(said))}") from error


def _judged(where: Place, *, private: bool) -> Sequence[tuple[int, tuple[str, int]]]:
    """Return (family, address) of a host, in order; none of them leads inside."""
    found = [(family, (str(address[0]), where.port)) for family, _, _, _, address in
             socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)]
    if not private:
        for _, (address, _) in found:
            if not reachable(ipaddress.ip_address(address.partition("%")[0])):
                raise CallRefused("Refused: the address is in the server’s own network.")
    return found[:3]


def _call(method: str, where: Place, found: Sequence[tuple[int, tuple[str, int]]], body: bytes | None, headers: Mapping[str, str],
          timeout_s: float, most_bytes: int) -> Answer:
    connection = _connected(found, timeout_s)
    # However slowly the other side talks, the call ends: its connection is cut.
    was_cut = threading.Event()
    cut = threading.Timer(timeout_s, _cut, [connection, was_cut])
    cut.daemon = True
    cut.start()
    try:
        if where.secure:
            connection = ssl.create_default_context().wrap_socket(connection, server_hostname=where.host)
        talk = http.client.HTTPConnection(where.host, where.port, timeout=timeout_s)
        talk.sock = connection
        talk.request(method, where.path, body=body, headers={"Host": where.named, **headers})
        answer = talk.getresponse()
        said = f"{answer.status} {_printable(answer.reason)}".strip()
        read = answer.read(most_bytes) if most_bytes else b""
    finally:
        cut.cancel()
        connection.close()
    if was_cut.is_set():
        raise CallFailed("The response took too long.")
    return Answer(answer.status, said, read, answer.headers.get("Content-Type", ""))


def _connected(found: Sequence[tuple[int, tuple[str, int]]], timeout_s: float) -> socket.socket:
    failed: OSError = OSError("the host name was not found")
    for family, address in found:
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(timeout_s / len(found))
        try:
            connection.connect(address)
            connection.settimeout(timeout_s)
            return connection
        except OSError as error:
            connection.close()
            failed = error
    raise failed


def _cut(connection: socket.socket, was_cut: threading.Event) -> None:
    was_cut.set()
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)[:120].strip()
