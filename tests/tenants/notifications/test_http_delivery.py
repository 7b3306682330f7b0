"""Calling addresses that people typed in: what they may be, where they may lead, and that every call ends."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator

import pytest

from core.base.errors import InvalidInput
from tenants.notifications import http_delivery
from tenants.notifications.http_delivery import CallFailed, checked_url, place, post, reachable
from tests.tenants.notifications.receiving import Receiver

INSIDE = ("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "240.0.0.1",
          "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fc00::1", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1",
          "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::1", "::127.0.0.1",
          # IANA's special-purpose registries, row by row, at both ends of each
          "0.255.255.255", "10.255.255.255", "100.127.255.255", "127.255.255.255", "169.254.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.8",
          "192.0.0.9", "192.0.0.10", "192.0.0.170", "192.0.0.255", "192.0.2.255", "192.31.196.1", "192.52.193.1", "192.88.99.0", "192.88.99.1",
          "192.88.99.255", "192.168.255.255", "192.175.48.1", "198.19.255.255", "198.51.100.1", "203.0.113.255", "239.255.255.255",
          "255.255.255.254", "64:ff9b:1::808:808", "100::1", "100:0:0:1::1", "2001::1", "2001:1::1", "2001:2::1", "2001:3::1",
          "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1", "2001:1ff:ffff::1", "2002:808:808::1", "2620:4f:8000::1", "3fff::1",
          "3fff:fff:ffff::1", "5f00::1", "fdff::1", "febf::1", "feff::1", "4000::1", "8000::1", "::ffff:192.88.99.1", "64:ff9b::c058:6301",
          "::ffff:0:8.8.8.8", "::8.8.8.8", "2606:2800::5efe:10.0.0.1", "2606:2800::200:5efe:7f00:1")
OUTSIDE = ("8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "1.0.0.0", "11.0.0.1",
           "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.88.98.255", "192.88.100.0", "198.17.255.255",
           "198.20.0.0", "223.255.255.255", "2001:200::1", "2003::1", "2a00:1450::1", "2606:2800::5efe:8.8.8.8")


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_not_reachable(address: str) -> None:
    """This machine, private networks, link-local ones, and those that hide one of them in another."""
    assert not reachable(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_addresses_of_the_open_network_are(address: str) -> None:
    """However they are written."""
    assert reachable(ipaddress.ip_address(address))


@pytest.mark.parametrize("url", [
    "", "example.org", "ftp://example.org/", "file:///etc/passwd", "javascript:alert(1)", "http://", "http:///x", "http://user@example.org/",
    "http://user:secret@example.org/", "http://example.org:0/", "http://example.org:99999/", "http://exa mple.org/", "http://example.org/a b",
    "http://example.org/\r\nX: y", "http://[::1", "https://" + "a" * 500 + ".org", "http://example.org/ü", "http://" + "a" * 64 + "ü.org"])
def test_what_is_no_address_of_a_web_server_is_refused(url: str) -> None:
    """With a sentence, whatever it is."""
    with pytest.raises(InvalidInput):
        checked_url(url, private=True)


@pytest.mark.parametrize("url", [
    "http://localhost/", "http://LOCALHOST:8080/", "http://a.localhost/", "http://127.0.0.1/", "http://127.1/", "http://2130706433/",
    "http://0x7f000001/", "http://0177.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest/meta-data",
    "https://10.0.0.1:8443/", "http://localhost./", "http://printer.local/", "http://[fe80::1%25eth0]/"])
def test_addresses_inside_are_refused_when_they_are_typed(url: str) -> None:
    """Unless the server's settings allow them; numbers in every way of writing them."""
    with pytest.raises(InvalidInput):
        checked_url(url, private=False)


def test_what_a_place_is_made_of() -> None:
    """Names beyond ASCII as the network writes them; a port only where it is not the usual one."""
    assert ("xn--exmple-cua.org", 443, "/a?b=c", "xn--exmple-cua.org") == (
        (found := place("https://exämple.org/a?b=c#d")).host, found.port, found.path, found.named)
    assert "[2001:db8::1]:81" == place("http://[2001:db8::1]:81").named


def test_a_name_that_leads_inside_is_refused_when_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where only one of its addresses does; nothing is connected to."""
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("93.184.216.34", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: answers)
    monkeypatch.setattr(http_delivery, "_connected", lambda *args: pytest.fail("it was connected to"))
    with pytest.raises(CallFailed, match="own network"):
        post("http://rebinding.example/", b"{}", {}, private=False)


def test_the_address_that_was_judged_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch, hook: Receiver) -> None:
    """The name is looked up once: what it leads to a moment later is of no account."""
    looked_up: list[str] = []
    port = hook.server_address[1]

    def look_up(host: str, *args: object, **more: object) -> list[tuple[object, ...]]:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert "200 OK" == post(f"http://some.example:{port}/x", b"{}", {}, private=True)
    assert ["some.example"] == looked_up
    assert f"some.example:{port}" == hook.got[0][1]["Host"]


@pytest.fixture
def slow() -> Iterator[int]:
    """The port of a server that answers a letter now and then, for ever."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def talk() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not ended.wait(0.05):
                    try:
                        connection.sendall(b"X-More: 1\r\n" if not ended.is_set() else b"")
                    except OSError:
                        return

        thread = threading.Thread(target=talk)
        thread.start()
        yield listening.getsockname()[1]
        ended.set()
        thread.join()


def test_a_call_ends_however_slowly_the_other_side_talks(slow: int) -> None:
    """Each letter comes in time, and the whole does not."""
    with pytest.raises(CallFailed):
        post(f"http://127.0.0.1:{slow}/", b"{}", {}, private=True, timeout_s=0.5)


def test_what_is_not_http_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of nonsense is a failure with a reason."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def talk() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"\x00\xff" * 50 + b"\r\n\r\n")

        thread = threading.Thread(target=talk)
        thread.start()
        with pytest.raises(CallFailed, match="Could not connect"):
            post(f"http://127.0.0.1:{listening.getsockname()[1]}/", b"{}", {}, private=True)
        thread.join()
