"""Mail: what is sent is one plain mail to one address, and a server that fails fails nobody's request."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from core.api import InvalidInput, transaction
from tenants import mail
from tests.conftest import fresh_database, opened_server


class Receiver(socketserver.ThreadingTCPServer):
    """A mail server that takes everything and remembers it."""

    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.said: list[str] = []


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Receiver = self.server  # type: ignore[assignment]
        self.wfile.write(b"220 here\r\n")
        data = False
        while line := self.rfile.readline():
            server.said.append(line.decode().rstrip())
            if data:
                data = line != b".\r\n"
                if data:
                    continue
                self.wfile.write(b"250 ok\r\n")
            elif line.upper().startswith(b"DATA"):
                data = True
                self.wfile.write(b"354 go on\r\n")
            elif line.upper().startswith(b"EHLO"):
                self.wfile.write(b"250-here\r\n250 AUTH PLAIN LOGIN\r\n")
            elif line.upper().startswith(b"AUTH"):
                self.wfile.write(b"235 ok\r\n")
            else:
                self.wfile.write(b"250 ok\r\n" if not line.upper().startswith(b"QUIT") else b"221 bye\r\n")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A mail server on a port of its own."""
    with Receiver() as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def mailing(home: Path, receiver: Receiver, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """A server that has a mail server, with a name and a password."""
    url = f"smtp://us%40er:pass%3Aword@127.0.0.1:{receiver.server_address[1]}"
    yield from opened_server(home, fresh_database("sqlite", home, request), smtp_url=url)


def test_a_mail_goes_to_the_mail_server(mailing: Flask, receiver: Receiver, home: Path) -> None:
    """Sent after the commit, to its address, and kept nowhere."""
    with transaction():
        mail.send("anna@example.org", "reset", email="anna@example.org", link="http://here/reset/1")
    mail.finish()
    assert any(line.startswith("rcpt TO:<anna@example.org>") for line in receiver.said)
    assert any("http://here/reset/1" in line for line in receiver.said)
    assert not (home / "mail").exists()
    assert mail.has_server()


def test_a_mail_server_that_is_away_fails_nothing(home: Path, request: pytest.FixtureRequest,
                                                  caplog: pytest.LogCaptureFixture) -> None:
    """The mail is kept, and the log says why."""
    for app in opened_server(home, fresh_database("sqlite", home, request), smtp_url="smtp://127.0.0.1:1"):
        assert app
        with transaction():
            mail.send("anna@example.org", "reset", email="anna@example.org", link="l")
        mail.finish()
    assert 1 == len(list((home / "mail").glob("*.eml")))
    assert "could not be sent" in caplog.text


@pytest.mark.parametrize("to", ["a@b\nBcc: eve@example.org", "a@b, eve@example.org", "<a@b>", "a@b\r\n\r\nText", "a b@c", "a", ""])
def test_an_address_is_one_address(to: str) -> None:
    """Nothing else can stand where a mail is sent to."""
    with pytest.raises(InvalidInput):
        mail.composed("us@here", to, "Hello", "Text")


def test_no_header_is_made_by_what_people_type() -> None:
    """Line ends in a subject or sender are spaces."""
    message = mail.composed("us@here", "anna@example.org", "Hello\r\nBcc: eve@example.org\n\nText", "Text\n.\nmore")
    assert "Hello Bcc: eve@example.org Text" == message["Subject"]
    assert {"To", "From", "Subject", "Date", "Message-ID", "Auto-Submitted"} == {
        name for name in message if not name.startswith(("Content-", "MIME-"))}


def test_addresses_of_any_script_are_written(home: Path, sqlite_server: Flask) -> None:
    """A mail to an address beyond ASCII is kept whole."""
    with transaction():
        mail.send("jürgen@exämple.org", "reset", email="jürgen@exämple.org", link="l")
    mail.finish()
    (path,) = (home / "mail").glob("*.eml")
    assert "jürgen@exämple.org" in path.read_text()
