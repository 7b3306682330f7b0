"""Settings: one tuple, each an ``APPKEEP_…`` environment variable with its unit in the name."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.base.errors import InvalidInput
from core.base.proxies import read_networks

MAX_SOCKET_PATH_BYTES = 100
PREFIX = "APPKEEP_"
ELSEWHERE = ("APPKEEP_S3_ENDPOINT_URL", "APPKEEP_TEST_")
"""What variables that are read elsewhere begin with."""
_PASSWORD = re.compile(r"://[^/]*@")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: name, default, how its text is read, one line for people."""

    name: str
    default: Any
    read: Callable[[str], Any]
    help: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"{PREFIX}{self.name.upper()}"


def _flag(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("say 1 or 0")


def _whole(text: str, least: int = 0, most: int = 2**62) -> int:
    found = int(text)
    if not least <= found <= most:
        raise ValueError(f"use a whole number from {least} to {most}")
    return found


_positive = partial(_whole, least=1)
_seconds, _pause = partial(_whole, least=1, most=10**9), partial(_whole, most=10**9)
_hours, _days = partial(_whole, most=10**6), partial(_whole, most=36_500)


def _url(text: str, example: str, schemes: tuple[str, ...], *, host: bool = True) -> str:
    parts = urlsplit(text)
    if parts.scheme not in schemes or (host and not parts.hostname) or parts.port == 0:  # a port that is no number raises
        raise ValueError(f"use {example}")
    return text


_http = partial(_url, example="https://apps.example.org", schemes=("http", "https"))
_queue = partial(_url, example="redis://host:6379/0, rediss://… or unix:///path", schemes=("redis", "rediss", "unix"), host=False)
_smtp = partial(_url, example="smtp://user:password@host:587 or smtps://…", schemes=("smtp", "smtps"))


def _database(text: str) -> str:
    from sqlalchemy import make_url  # loaded where there is a URL, which only it reads as the database will
    from sqlalchemy.exc import ArgumentError

    try:
        known = make_url(text).drivername in ("postgresql", "postgres", "postgresql+psycopg", "sqlite")
    except (ArgumentError, ValueError):
        known = False
    if not known:
        raise ValueError("use postgresql://user:password@host/name, with % and two digits for what is special in a password")
    return text


def _address(text: str) -> str:
    if "@" not in text or "\n" in text:
        raise ValueError("use an email address")
    return text


def _networks(text: str) -> str:
    read_networks(text)
    return text


SETTINGS: tuple[Setting, ...] = (
    Setting("home", "./var", str, "Folder for everything this server keeps: database, objects, keys, queue."),
    Setting("database_url", "", _database, "SQLAlchemy URL of PostgreSQL; empty: SQLite in the home folder."),
    Setting("redis_url", "", _queue, "URL of Redis or Valkey; empty: embedded Valkey in the home folder."),
    Setting("store_url", "", str, "Where stored data lives, s3://bucket/prefix; empty: a folder in the home folder."),
    Setting("secret_key", "", str, "Key that signs sessions; empty: created once and kept in the home folder."),
    Setting("web_host", "127.0.0.1", str, "Address the web server listens on."),
    Setting("web_port", 8080, partial(_whole, least=1, most=65_535), "Port the web server listens on."),
    Setting("web_threads", 8, partial(_whole, least=1, most=1000), "Requests served at once; at most half of them may be slow ones."),
    Setting("request_work_count", 5_000_000, _positive, "Work one request may do, in microseconds; beyond it, the answer is partial."),
    Setting("request_time_s", 10, _seconds, "Time one request may take; beyond it, the answer is partial or refused."),
    Setting("request_slow_s", 1, _seconds, "A request that takes longer counts as slow; each organization may run a few at once."),
    Setting("public_url", "", _http, "Public address of this server, for links in mail; empty: web_host and web_port."),
    Setting("trusted_proxies", "", _networks, "Addresses or networks of reverse proxies, separated by commas. Their word on the "
            "visitor's address, scheme and host is trusted."),
    Setting("rate_limits", True, _flag, "Limit sign-in attempts and the like; 0 only for tests."),
    Setting("smtp_url", "", _smtp, "Mail server, smtp://user:password@host:587 or smtps://…; empty: mail is kept in the home folder."),
    Setting("mail_from", "appkeep@localhost", _address, "Sender of mail."),
    Setting("webhook_private_addresses", False, _flag, "Let webhooks reach private and loopback addresses."),
    Setting("upload_limit_bytes", 2 * 10**9, _positive, "Largest file that can be uploaded."),
    Setting("import_memory_bytes", 10**9, _positive, "Memory that reading one imported file may take."),
    Setting("import_time_s", 3600, _seconds, "Time that reading one imported file may take."),
    Setting("worker_processes", 1, partial(_whole, most=1000), "Number of workers that `appkeep up` starts."),
    Setting("backup_interval_s", 300, _pause, "Shortest time between two backups of one app."),
    Setting("check_every_days", 30, _days, "Each backup is checked again after this many days; 0: never."),
    Setting("quick_check_every_hours", 24, _hours, "Each organization’s backups are looked at after so many hours: is all there that "
            "they name, in its right size? 0: never."),
    Setting("deep_check_every_days", 30, _days, "The newest good backup of each app is restored on trial after this many days; "
            "0: never."),
    Setting("deep_check_limit_count", 250_000, _whole, "Backups with more records are not restored on trial by schedule, only when "
            "somebody asks."),
    Setting("collect_every_hours", 24, _hours, "How often unneeded data is collected in each organization; 0: never."),
    Setting("collect_grace_hours", 24, _hours, "How long unneeded data stays in the store; never less than run_timeout_s."),
    Setting("keep_runs_days", 90, _days, "Runs that ended so long ago and nothing refers to are removed; 0: never."),
    Setting("download_limit_bytes", 10**9, _whole, "Backup files with data of this size or more cannot be downloaded."),
    Setting("browse_limit_bytes", 4 * 10**9, _whole, "Disk space for backups that are being browsed; those used least recently go "
            "first."),
    Setting("browse_idle_hours", 24, _hours, "What is unpacked of a backup for browsing is removed after so long without use."),
    Setting("lease_s", 15, _seconds, "A run whose worker was silent for this long is recovered."),
    Setting("clock_tick_s", 3, _seconds, "Time between two rounds of the clock process."),
    Setting("run_attempts", 3, partial(_whole, least=1, most=100), "How often a run whose worker died is retried before it fails."),
    Setting("run_timeout_s", 6 * 3600, _seconds, "A run that takes longer than this is ended."),
    Setting("die_at", "", str, "For fault tests only: kill this process at the named step of a run."),
)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one server, read once."""

    values: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def home_path(self) -> Path:
        """The home folder, absolute."""
        return Path(self.values["home"]).resolve()

    @property
    def sqlalchemy_url(self) -> str:
        """The database's URL, PostgreSQL always through psycopg 3."""
        url: str = self.values["database_url"]
        if not url:
            return f"sqlite:///{self.home_path / 'appkeep.db'}"
        scheme, _, rest = url.partition("://")
        return f"postgresql+psycopg://{rest}" if scheme in ("postgres", "postgresql") else url

    @property
    def address(self) -> str:
        """The address people reach this server at, without a slash at its end."""
        return (self.values["public_url"] or f"http://{self.values['web_host']}:{self.values['web_port']}").rstrip("/")

    @property
    def queue_socket_path(self) -> Path:
        """The socket of the embedded Valkey."""
        return socket_path(self.home_path)

    @property
    def queue_url(self) -> str:
        """The URL of the queue's server, embedded or not."""
        return self.values["redis_url"] or f"unix://{self.queue_socket_path}"


def socket_path(home: Path) -> Path:
    """Return where a home's socket lies: in it, or, where that path is too long for one, in a private folder."""
    path = home / "valkey" / "valkey.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"appkeep-{os.getuid()}-{name}" / "valkey.sock"


def read_config(environment: Mapping[str, str] | None = None, **overrides: Any) -> Config:
    """Return the settings from the environment, *overrides* first.

    Raises:
        InvalidInput: a variable holds what its setting cannot read.
    """
    environment = os.environ if environment is None else environment
    for variable, meant in misspelt(environment).items():
        log.warning("No setting is called %s, so that it has no effect%s. `appkeep settings` lists all.",
                    variable, f"; did you mean {meant}?" if meant else "")
    return Config({setting.name: overrides.get(setting.name, _value(setting, environment)) for setting in SETTINGS})


def misspelt(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that are called as settings are and name none, each with the setting it may mean, or nothing."""
    known = [setting.variable for setting in SETTINGS]
    ours = sorted(name for name in environment if name.upper().startswith(PREFIX) and not name.startswith(ELSEWHERE))
    wrong = [name for name in ours if name not in known]
    return {name: next(iter(get_close_matches(name.upper(), known, 1, 0.8)), "") for name in wrong}


def _value(setting: Setting, environment: Mapping[str, str]) -> Any:
    text = environment.get(setting.variable, "").strip()
    if not text:  # as a variable that is passed on and was not set: a home that is empty would be whatever folder one is in
        return setting.default
    try:
        return setting.read(text)
    except ValueError as error:
        shown = _PASSWORD.sub("://…@", text)
        raise InvalidInput(f"{setting.variable} is “{shown}”, which is not what it holds: {error}.") from error
