"""Settings: a value that could not be used is refused where it is read, with its variable and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.app import create_app
from core.base.config import SETTINGS, read_config
from core.base.errors import InvalidInput


@pytest.mark.parametrize(("name", "text", "says"), [
    ("DATABASE_URL", "banana", "use postgresql://"), ("DATABASE_URL", "mysql://host/name", "use postgresql://"),
    ("DATABASE_URL", "postgresql://u:p@host:port/name", "use postgresql://"), ("REDIS_URL", "http://host", "use redis://"),
    ("WEB_PORT", "70000", "from 1 to 65535"), ("WEB_PORT", "abc", "abc"), ("WEB_THREADS", "0", "from 1"), ("LEASE_S", "0", "from 1"),
    ("CLOCK_TICK_S", "-1", "from 1"), ("RUN_ATTEMPTS", "0", "from 1"), ("KEEP_RUNS_DAYS", "-1", "from 0"),
    ("KEEP_RUNS_DAYS", "99999999999", "to 36500"), ("COLLECT_GRACE_HOURS", "-1", "from 0"), ("UPLOAD_LIMIT_BYTES", "1GB", "1GB"),
    ("PUBLIC_URL", "apps.example.org", "use https://"), ("SMTP_URL", "mail.example.org", "use smtp://"), ("SMTP_URL", "smtp://host:x", "x"),
    ("MAIL_FROM", "nobody", "an email address"), ("TRUSTED_PROXIES", "banana", "banana"), ("RATE_LIMITS", "maybe", "1 or 0")])
def test_what_could_not_be_used_is_refused(name: str, text: str, says: str) -> None:
    """A port out of range was another port, no threads served nobody, days below none removed what was to be kept."""
    with pytest.raises(InvalidInput, match=f"APPKEEP_{name}.*{says}"):
        read_config({f"APPKEEP_{name}": text})


@pytest.mark.parametrize(("name", "text"), [
    ("DATABASE_URL", "postgresql://user:pa#ss@host/name"), ("DATABASE_URL", "postgres:///name?host=/run"), ("REDIS_URL", "unix:///run/queue"),
    ("REDIS_URL", "rediss://:password@host:6380/1"), ("SMTP_URL", "smtp://user:password@host:587"), ("PUBLIC_URL", "https://host/apps"),
    ("WORKER_PROCESSES", "0"), ("BACKUP_INTERVAL_S", "0"), ("WEB_HOST", "::")])
def test_what_can_be_used_is_taken(name: str, text: str) -> None:
    """As it is written."""
    assert text == str(read_config({f"APPKEEP_{name}": text}).values[name.lower()])


def test_an_empty_variable_is_as_one_that_is_not_set() -> None:
    """As where it is passed on and was never set: a home that is empty would be whatever folder one is in, closed to all others."""
    assert read_config({}).values == read_config({one.variable: " " for one in SETTINGS}).values


def test_a_password_is_not_said() -> None:
    """A refusal may stand in a log."""
    with pytest.raises(InvalidInput) as refused:
        read_config({"APPKEEP_DATABASE_URL": "mysql://user:secret@host/name"})
    assert "secret" not in str(refused.value) and "@host/name" in str(refused.value)


def test_a_home_that_is_a_file_is_refused(home: Path, tmp_path: Path) -> None:
    """With its path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="APPKEEP_HOME"):
        create_app(read_config({}, home=str(tmp_path / "file")))


def test_an_empty_key_of_sessions_is_made_anew(home: Path) -> None:
    """A crash or a full disk may have left it so, and nobody could sign in."""
    keys = home / "keys"
    keys.mkdir(parents=True)
    (keys / "session.key").write_text("")
    made = create_app(read_config({}, home=str(home))).config["SECRET_KEY"]
    assert 64 == len(made) and made == create_app(read_config({}, home=str(home))).config["SECRET_KEY"]
    assert 0o600 == (keys / "session.key").stat().st_mode & 0o777 and ["session.key"] == [one.name for one in keys.iterdir()]


@pytest.mark.parametrize(("variable", "meant"), [
    ("APPKEEP_BACKUP_INTERVAL", "APPKEEP_BACKUP_INTERVAL_S"), ("APPKEEP_DATABSE_URL", "APPKEEP_DATABASE_URL"), ("appkeep_home", "APPKEEP_HOME"),
    ("APPKEEP_WORKERS_PROCESS", "APPKEEP_WORKER_PROCESSES"), ("APPKEEP_SOMETHING_ELSE_AGAIN", ""),
])
def test_a_variable_that_names_no_setting_is_told(variable: str, meant: str, caplog: pytest.LogCaptureFixture) -> None:
    """With the setting that it may mean, and without what it holds."""
    read_config({variable: "hunter2", "APPKEEP_HOME": "x", "PATH": "/bin"})
    (told,) = caplog.messages
    assert f"No setting is called {variable}, " in told and (f"did you mean {meant}?" if meant else "effect. ") in told
    assert "hunter2" not in told


def test_variables_that_are_settings_or_are_read_elsewhere_are_not_told(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of them is misspelt."""
    read_config({**{setting.variable: "" for setting in SETTINGS}, "APPKEEP_S3_ENDPOINT_URL": "http://x", "APPKEEP_TEST_LOOKS": "all"})
    assert [] == caplog.messages
