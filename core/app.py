"""The composition root: settings, database, plugins, store and queue become one Flask application."""

from __future__ import annotations

import secrets
import stat
from contextlib import suppress
from pathlib import Path

from flask import Flask

from core.base.config import Config, read_config
from core.base.db import db
from core.base.errors import InvalidInput
from core.base.memory import give_back
from core.base.proxies import Proxies, read_networks
from core.base.whole_file import write_whole
from core.extension.registry import DEFAULT_PLUGINS, load_plugins
from core.server import EXTENSION, Server

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
OWN = ("core.tables.hooks", "core.apps.hooks", "core.backups.hooks", "core.imports.hooks", "core.gc.hooks")
"""What the rooms of the core bring by hooks, as plugins do; the last is called first, so that apps are up before tables."""
STATIC = Path(__file__).resolve().parent / "web" / "static"


def create_app(config: Config | None = None, plugins: tuple[str, ...] = DEFAULT_PLUGINS, *, pages: bool = True,
               bare: bool = False) -> Flask:
    """Return the application; nothing is connected to before it is needed.

    Without *pages* it has no address of any, and a third less in memory: for the command line. A *bare* one imports a plugin when
    one of its hooks is called, too: for looking something up.
    """
    give_back()
    config = config or read_config()
    try:
        config.home_path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise InvalidInput(f"APPKEEP_HOME is “{config.home_path}”, which cannot be made a folder: {error.strerror}.") from error
    close_to_others(config.home_path)
    app = Flask("appkeep", template_folder=str(TEMPLATES), static_folder=str(STATIC))
    app.config.update(
        SQLALCHEMY_DATABASE_URI=config.sqlalchemy_url,
        # A database that was restarted is no error. Nobody waits for a connection: a backup holds one and asks for a second, so
        # that many at once would wait for each other for ever; how many there are is bounded by the threads there are.
        SQLALCHEMY_ENGINE_OPTIONS={"pool_pre_ping": True, "max_overflow": -1},
        SECRET_KEY=config.secret_key or kept_secret(config.home_path / "keys" / "session.key"),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.address.startswith("https://"),
        SESSION_COOKIE_NAME="appkeep_session",
    )
    db.init_app(app)
    app.extensions[EXTENSION] = Server(config, load_plugins(plugins, own=OWN, waiting=bare))
    if bare or not pages:
        return app
    from core.web.register import register_web

    register_web(app)
    app.wsgi_app = Proxies(app.wsgi_app, read_networks(config.trusted_proxies))  # type: ignore[method-assign]
    return app


def close_to_others(home: Path) -> None:
    """Close the home folder, and a database that an earlier version left readable, to the machine's other users."""
    for path in (home, *home.glob("appkeep.db*")):
        with suppress(OSError):  # another user's: theirs to close
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o077:
                path.chmod(mode & 0o700)


def kept_secret(path: Path) -> str:
    """Return the secret kept at *path*, made at first use, readable by its owner only; an empty file holds none and is replaced."""
    found = path.read_text().strip() if path.exists() else ""
    if not found:
        write_whole(path, secrets.token_hex(32).encode(), first=not path.exists())
        found = path.read_text().strip()
    return found
