"""What the embedded web server stores before a page is asked: little of anybody, a file only of whoever was shown a page that takes it."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPResponse

import pytest
from flask import Flask

from core.base.config import read_config
from core.processes.web import web_server
from core.web import bodies
from core.web.bodies import ANYBODY_BYTES, FORM_BYTES, MARK, Doorkeeper
from tests.web import Browser, make_organization, signed_in

FILE_BYTES = 100 * 1024 * 1024


class Request:
    """A request whose body is being kept."""


@pytest.fixture
def place(sqlite_server: Flask) -> tuple[Flask, Browser, str]:
    """A server, its owner's browser, and the address at which an app is imported."""
    organization_id = make_organization("Example")
    return sqlite_server, signed_in(sqlite_server), f"/o/{organization_id}/import"


def cookies_of(client: Browser) -> str:
    """Return what a browser sends with a request."""
    names = ("appkeep_session", MARK)
    return "; ".join(f"{name}={cookie.value}" for name in names if (cookie := client.get_cookie(name)) is not None)


def test_only_a_page_that_takes_files_marks_the_browser(place: tuple[Flask, Browser, str]) -> None:
    """And only that of somebody who may send them: who is refused the page gets no mark."""
    server, owner, url = place
    owner.get("/account")
    assert owner.get_cookie(MARK) is None
    stranger = signed_in(server, "stranger@example.org")
    assert 404 == stranger.get(url).status_code
    assert stranger.get_cookie(MARK) is None
    assert 200 == owner.get(url).status_code
    assert owner.get_cookie(MARK) is not None


def test_how_much_is_taken_is_told_by_the_headers(place: tuple[Flask, Browser, str]) -> None:
    """Of nobody little, of a session a form, of a marked one a file; made-up cookies are none."""
    server, owner, url = place
    door = Doorkeeper(server, FILE_BYTES)
    session = cookies_of(owner)
    owner.get(url)
    marked, mark = cookies_of(owner), cookies_of(owner).rpartition("; ")[2]
    much = FILE_BYTES // 2
    first = Request()
    assert ANYBODY_BYTES == door.most_bytes({}, much, first)
    assert ANYBODY_BYTES == door.most_bytes({"COOKIE": mark}, much, first)
    assert ANYBODY_BYTES == door.most_bytes({"COOKIE": "appkeep_session=eyJfdXNlcl9pZCI6IjEifQ.x.y; " + mark}, much, first)
    assert FORM_BYTES == door.most_bytes({"COOKIE": session}, much, first)
    assert FORM_BYTES == door.most_bytes({"COOKIE": f"{session}; {MARK}=made.up.mark"}, much, first)
    assert FORM_BYTES == door.most_bytes({"COOKIE": marked}, FILE_BYTES * 2, first)
    assert FORM_BYTES == door.most_bytes({"COOKIE": marked}, 0, first)  # who does not say how much
    assert FILE_BYTES < door.most_bytes({"COOKIE": marked}, much, first)


def test_one_person_sends_two_files_at_once_and_none_onto_a_full_disk(
        place: tuple[Flask, Browser, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A third waits until one is done with; what would fill the disk is refused before it comes."""
    server, owner, url = place
    owner.get(url)
    door, headers, much = Doorkeeper(server, FILE_BYTES), {"COOKIE": cookies_of(owner)}, FILE_BYTES // 2
    sending = [Request(), Request()]
    assert [FILE_BYTES + FORM_BYTES] * 2 == [door.most_bytes(headers, much, one) for one in sending]
    third = Request()
    assert FORM_BYTES == door.most_bytes(headers, much, third)
    sending.pop()
    assert FILE_BYTES + FORM_BYTES == door.most_bytes(headers, much, third)
    sending.clear()
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(bodies.shutil, "disk_usage", lambda _path: usage._replace(free=2 * much + bodies.KEEP_FREE_BYTES - 1))
    assert FORM_BYTES == door.most_bytes(headers, much, Request())


@pytest.fixture
def port(place: tuple[Flask, Browser, str]) -> Iterator[int]:
    """The port of the real web server."""
    server = web_server(place[0], read_config({}, web_port=0, upload_limit_bytes=FILE_BYTES))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield int(server.effective_port)
    server.close()
    thread.join(10)


def answer_to(port: int, head: str, body: bytes = b"") -> str:
    """Send a request's head, and what of its body the server still takes; return its answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.encode() + body)
        answer = HTTPResponse(connection)
        answer.begin()
        return f"{answer.status} {answer.read().decode()}"


@pytest.mark.parametrize("path", ["/sign-in", "/nothing", "/o/o_xxxxxxxxxx/import", "/"])
def test_a_large_body_of_nobody_is_refused_before_it_comes(port: int, path: str) -> None:
    """Its head is enough; not one byte of it need be sent. In words, wherever it is sent to."""
    said = answer_to(port, f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000000\r\n\r\n")
    assert said.startswith("413 ")
    assert "Sign in, open the page that takes the file again" in said


def test_a_body_that_does_not_say_how_large_it_is_ends_at_the_bound(port: int) -> None:
    """Chunks are counted as they come."""
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    said = answer_to(port, "POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", chunk * (ANYBODY_BYTES // 0x10000))
    assert said.startswith("413 ")


def test_a_form_of_somebody_and_a_file_of_whoever_may_reach_their_page(port: int, place: tuple[Flask, Browser, str]) -> None:
    """Past the door they are the page's to judge: here for want of a right form."""
    _, owner, url = place
    owner.get(url)
    size = FORM_BYTES + 1
    said = answer_to(port, f"POST {url} HTTP/1.1\r\nHost: x\r\nCookie: {cookies_of(owner)}\r\nContent-Length: {size}\r\n"
                           "Content-Type: application/octet-stream\r\n\r\n", b"x" * size)
    assert said.startswith("422 ")
