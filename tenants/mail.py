"""Mail: plain text, sent beside the request once what it tells of is committed. Without a mail server it is kept as a file.

A mail that cannot be sent fails nobody's request: it is kept as a file too, and the server's log says so.
"""

from __future__ import annotations

import logging
import os
import smtplib
import ssl
import uuid
from concurrent.futures import Future, ThreadPoolExecutor, wait
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from flask import current_app

from core.api import after_commit, server
from tenants.typed_names import checked_email

TIMEOUT_S = 20
log = logging.getLogger(__name__)
# Sent by threads of its own: how long a mail server takes must not tell whether an email is known here.
_senders = ThreadPoolExecutor(2, thread_name_prefix="mail")
_sending: set[Future[None]] = set()


def has_server() -> bool:
    """Say whether a mail server is set; without one, pages show the links that mails would carry."""
    return bool(server().config.smtp_url)


def send(to: str, template: str, **values: Any) -> None:
    """Send a mail once the current transaction has committed.

    Args:
        to: An email address.
        template: A template below ``tenants/mail/``; its first line is the subject.
        values: What the template shows.
    """
    _send_later(written(to, template, **values))


def send_text(to: str, subject: str, body: str) -> None:
    """Send a mail of these words once the current transaction has committed.

    Raises:
        InvalidInput: *to* is no email address.
    """
    _send_later(composed(server().config.mail_from, to, subject, body.strip("\n") + "\n"))


def _send_later(message: EmailMessage) -> None:
    config = server().config
    url, folder = config.smtp_url, config.home_path / "mail"
    after_commit(lambda: _hand_over(message, url, folder))


def written(to: str, template: str, **values: Any) -> EmailMessage:
    """Return the mail that a template makes, see `send`."""
    # Without what pages know of their request: a mail is the same for whoever sends it.
    text = current_app.jinja_env.get_template(f"tenants/mail/{template}.txt").render(**values)
    subject, _, body = text.partition("\n")
    return composed(server().config.mail_from, to, subject, body.strip("\n") + "\n")


def send_now(message: EmailMessage) -> bool:
    """Send a mail here and say whether a mail server took it; where none is set it is kept as a file.

    Raises:
        OSError, smtplib.SMTPException, ValueError: the mail server was not reached, or did not take it.
    """
    config = server().config
    if not config.smtp_url:
        _keep(message, config.home_path / "mail")
        return False
    _send(message, urlsplit(config.smtp_url))
    return True


def composed(sender: str, to: str, subject: str, body: str) -> EmailMessage:
    """Return a mail; whatever its parts hold, it has these headers and no more.

    Raises:
        InvalidInput: *to* is no email address.
    """
    address = checked_email(to)
    message = EmailMessage(policy=SMTP if address.isascii() else SMTPUTF8)
    name, _, domain = address.rpartition("@")
    message["To"] = Address(username=name, domain=domain)
    message["From"] = " ".join(sender.split())
    message["Subject"] = " ".join("".join(c if c.isprintable() else " " for c in subject).split())[:200]
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain="appkeep")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return message


def finish() -> None:
    """Return once every mail that was handed over is sent or kept."""
    wait(set(_sending))


def _hand_over(message: EmailMessage, url: str, folder: Path) -> None:
    future = _senders.submit(_deliver, message, url, folder)
    _sending.add(future)
    future.add_done_callback(_sending.discard)


def _deliver(message: EmailMessage, url: str, folder: Path) -> None:
    try:
        if not url:
            log.warning("No mail server is set; the mail “%s” to %s is kept as %s", message["Subject"], message["To"],
                        _keep(message, folder))
            return
        try:
            _send(message, urlsplit(url))
        except (OSError, smtplib.SMTPException, ValueError) as error:
            log.error("The mail “%s” to %s could not be sent (%s: %s); it is kept as %s", message["Subject"], message["To"],
                      type(error).__name__, error, _keep(message, folder))
    except Exception:  # a thread has nobody above it who would say so
        log.exception("The mail “%s” to %s is lost", message["Subject"], message["To"])


def _keep(message: EmailMessage, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{uuid.uuid4().hex}.eml"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(message.as_bytes())
    return path


def _send(message: EmailMessage, url: SplitResult) -> None:
    """Send by the server of ``smtp://user:password@host:587`` or ``smtps://…``; a password goes over TLS only."""
    host, context = url.hostname or "localhost", ssl.create_default_context()
    if url.scheme not in ("smtp", "smtps"):
        raise ValueError(f"a mail server's address starts with smtp:// or smtps://, not {url.scheme}://")
    secure = url.scheme == "smtps"
    connection = (smtplib.SMTP_SSL(host, url.port or 465, timeout=TIMEOUT_S, context=context) if secure
                  else smtplib.SMTP(host, url.port or 25, timeout=TIMEOUT_S))
    with connection:
        connection.ehlo()
        if not secure and connection.has_extn("starttls"):
            connection.starttls(context=context)
            connection.ehlo()
            secure = True
        if url.username:
            if not secure and host not in ("localhost", "127.0.0.1", "::1"):
                raise ValueError("the mail server offers no encryption, so its password is not sent")
            connection.login(unquote(url.username), unquote(url.password or ""))
        connection.send_message(message)
