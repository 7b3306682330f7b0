"""The database's schema: Alembic versions of the core and of every plugin, brought up to date at the start.

A stranger's plugin is brought up by itself: one whose versions cannot be read or fail is left out, and everything else goes on.
Versions of a plugin that is not here (any more) stay as they are, and so do its tables.
"""

from __future__ import annotations

import ast
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text

from core.base.db import db
from core.base.errors import AppkeepError
from core.extension.time_bound import as_error
from core.server import server
from core.tenancy import answered_requests, row_security
from core.tenancy.plugin_states import leave_out_removed, note_made
from core.tenancy.wall import as_server

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig
    from alembic.script import Script, ScriptDirectory

FOLDER = Path(__file__).parents[1] / "migrations"
log = logging.getLogger(__name__)
GUARDED_TOO = (answered_requests.AnsweredRequest,)
"""Tables that the wall guards and only pages use: named here, so that a command that makes the tables guards them, too."""
_PARSING = threading.Lock()
"""Python 3.11 raises SystemError where two threads make syntax trees at once."""
AFTER_STRANGERS: list[Callable[[Connection], None]] = []
"""What follows where a stranger's versions changed tables, in the same transaction."""
BEFORE_READY: list[Callable[[], None]] = []
"""What is looked at before what is in the database follows today's plugins: some may have to be left out."""
_LOCK = 7_205_409_117
"""PostgreSQL's advisory lock of whoever migrates: two processes that start together take turns."""


def own_folders() -> list[str]:
    """Return the folders of versions of the core and of built-in plugins."""
    registry = server().registry
    return [str(FOLDER / "versions"), *sorted(folder for name, folder in registry.migrations() if not registry.is_stranger(name))]


def strangers() -> list[tuple[str, str]]:
    """Return (plugin, folder of versions) of the other plugins."""
    registry = server().registry
    return sorted((name, folder) for name, folder in registry.migrations() if registry.is_stranger(name))


def alembic_config(connection: Connection | None = None, more: Iterable[str] = ()) -> AlembicConfig:
    """Return Alembic's configuration for the core, the built-in plugins and *more* folders of versions."""
    from alembic.config import Config as AlembicConfig

    config = AlembicConfig()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join([*own_folders(), *more]))
    config.attributes["connection"] = connection
    return config


def newest(folders: Iterable[str] | None = None) -> set[str]:
    """Return the newest revisions in the folders, by default those of the core and the built-in plugins, as their files say.

    Read as text: Alembic takes longer to load than most commands take to run, and is needed only where something is to
    be upgraded.
    """
    revisions, older = set[str](), set[str]()
    for path in (path for folder in (own_folders() if folders is None else folders) for path in Path(folder).glob("*.py")):
        found = _named(path)
        if isinstance(revision := found.get("revision"), str):
            revisions.add(revision)
            older |= {one for one in _listed(found.get("down_revision")) if isinstance(one, str)}
    return revisions - older


def _named(path: Path) -> dict[str, Any]:
    """Return what a file of a version says its revision is and which came before, in whatever form Alembic takes it."""
    with _PARSING:
        return dict(_assigned(ast.parse(path.read_text(), str(path))))


def _assigned(module: ast.Module) -> Iterator[tuple[str, Any]]:
    for statement in module.body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign):
            continue
        for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
            if isinstance(target, ast.Name) and target.id in ("revision", "down_revision") and statement.value is not None:
                yield target.id, ast.literal_eval(statement.value)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | set) else [value]


def ensure_schema(*, bare: bool = False) -> None:
    """Bring the database to the newest schema, and what is in it to today's components; cheap when it is there already.

    A *bare* application leaves the latter to others.

    Raises:
        AppkeepError: the database was made by a newer version.
    """
    with as_server():
        _ensure_schema()
    if bare:
        return
    for look in BEFORE_READY:
        look()
    server().registry.hook.database_ready()


def _ensure_schema() -> None:
    with db.engine.connect() as connection:
        leave_out_removed(connection)
        others = [(name, folder) for name, folder in strangers() if _readable(name, folder)]
        wanted = newest() | newest(folder for _, folder in others)
        if wanted <= _standing(connection) and not (connection.dialect.name == "postgresql" and row_security.is_due(connection)):
            return
        connection.rollback()
    server().registry.wake()  # whose rows a table holds is told by its class
    # SQLite's foreign keys and its write lock are set on connecting, so the upgrade has a connection of its own.
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        else:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        _upgrade(connection, ())
        for name, folder in others:
            _upgrade_stranger(connection, name, folder)
        if connection.dialect.name == "postgresql":
            row_security.install(connection)
        connection.commit()


def _readable(name: str, folder: str) -> bool:
    """Say whether a stranger's versions can be read; else its plugin is left out."""
    try:
        newest([folder])
    except Exception as error:
        # Whatever a file of a stranger holds.
        server().registry.leave_out(name, f"its migrations cannot be read: {error}")
        return False
    return True


def _upgrade_stranger(connection: Connection, name: str, folder: str) -> None:
    """Upgrade a stranger's tables, all of it or nothing; where that fails its plugin is left out."""
    try:
        with as_error(), connection.begin_nested():
            before = set(inspect(connection).get_table_names()), _standing(connection)
            _upgrade(connection, (folder,))
            tables, standing = set(inspect(connection).get_table_names()), _standing(connection)
            if (tables, standing) != before:
                note_made(connection, name, tables - before[0], standing - before[1])
                for follow in AFTER_STRANGERS:
                    follow(connection)
    except (Exception, SystemExit) as error:
        # A stranger's code may raise anything.
        server().registry.leave_out(name, f"its migration failed: {type(error).__name__}: {error}")


def _upgrade(connection: Connection, more: Iterable[str]) -> None:
    """Upgrade to the newest of the core, the built-in plugins and *more* folders; what is known to none of them stays."""
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = alembic_config(connection, more)
    script = ScriptDirectory.from_config(config)
    _let_go_of_own(script, more)
    known = {revision.revision for revision in script.walk_revisions()}
    if not more:
        _refuse_newer(_standing(connection) - known, known)

    def steps(standing: Iterable[str], _context: object) -> Any:
        return script._upgrade_revs("heads", tuple(one for one in standing if one in known))  # type: ignore[arg-type]

    with EnvironmentContext(config, script, fn=steps, destination_rev="heads"):
        script.run_env()


def _let_go_of_own(script: ScriptDirectory, strangers: Iterable[str]) -> None:
    """Have strangers' versions depend on none of Appkeep's own, which are always there first.

    Alembic takes what another version depends on for said by that one, and would forget what the database is at of Appkeep's own.
    """
    from alembic.script.revision import RevisionMap

    folders, load = [str(Path(folder).resolve()) for folder in strangers], script._load_revisions
    own = {str(_named(path).get("revision")) for folder in own_folders() for path in Path(folder).glob("*.py")} if folders else set()

    def loaded() -> Iterator[Script]:
        for one in load():
            if str(Path(one.path).resolve().parent) in folders and one.dependencies:
                one.dependencies = tuple(name for name in _listed(one.dependencies) if name not in own) or None
            yield one

    script.revision_map = RevisionMap(loaded)


def _standing(connection: Connection) -> set[str]:
    """Return the revisions that the database is at."""
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def _refuse_newer(unknown: set[str], known: set[str]) -> None:
    """Refuse a database that a newer version of the core or of a built-in plugin has made: their versions are called "core_0015".

    Raises:
        AppkeepError: with the first version that is not known here.
    """
    ours = {one.rpartition("_")[0] for one in known}
    newer = sorted(one for one in unknown if one.rpartition("_")[0] in ours)
    if newer:
        raise AppkeepError(f"The database was made by a newer version (schema {newer[0]}): update this server.")
    for one in sorted(unknown):
        log.info("The database has tables of a plugin that is not loaded (schema %s); they stay as they are", one)
