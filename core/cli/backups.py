"""Verbs on backups: backup, backups, rename, pin, delete, plan, restore, restore-as-new, upload, download, inspect, check."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from core.apps import service
from core.backups import catalog, export, ingest, proof, requests
from core.backups.base import scan_sentence
from core.backups.catalog import backup_value, backups_of, find_backup
from core.backups.check import UNSOUND
from core.backups.damage import WAY_OUT, Damaged, damaged_by
from core.backups.log import note, noting
from core.backups.models import ORIGINS, TYPES, Backup
from core.backups.plan import Options, asked_or_all, plan_undo
from core.backups.plan import plan as plan_of
from core.backups.proof import how_proven
from core.backups.record_lists import planned_lists
from core.base.db import db, transaction
from core.base.errors import AppkeepError, InvalidInput, NotFound
from core.base.text import count_text, size_text
from core.base.time import now_us
from core.cli.report_text import plan_lines, restore_lines
from core.cli.verbs import as_option, person_of, verb
from core.cli.working import done, worker_option
from core.runs.models import Run
from core.runs.service import find as find_run
from core.tenancy.wall import as_server, as_tenant

parts = (
    click.option("--config", is_flag=True, help="The configuration: everything but the data."),
    click.option("--data", is_flag=True, help="The records and their files."),
)


only_option = click.option(
    "--only", multiple=True, metavar="X",
    help="Only this: a component by its name, or a document, a part of one or a record by its address; can be repeated.")

commands = click.Group()
NAMED_AT_MOST = 20
LISTED_AT_MOST = 1000


def _ask_check(backup: Backup, deep: bool, quick: bool, send: bool) -> Run:
    return requests.request_check(backup, person_of(None), deep=deep, quick=quick, send=send)


def _parts(function: Any) -> Any:
    for option in reversed(parts):
        function = option(function)
    return function


@contextmanager
def opened_backup(backup_id: str) -> Iterator[Backup]:
    """Give a backup of any organization, as that organization.

    Raises:
        NotFound: there is none.
    """
    with _owner(Backup, backup_id, "backup"):
        yield find_backup(backup_id)


@contextmanager
def opened_run(run_id: str) -> Iterator[Run]:
    """Give a run of any organization, as that organization.

    Raises:
        NotFound: there is none.
    """
    with _owner(Run, run_id, "run"):
        yield find_run(run_id)


@contextmanager
def _owner(model: type[Backup] | type[Run], key: str, what: str) -> Iterator[None]:
    """Be the organization that something belongs to."""
    with as_server():
        organization_id = db.session.scalar(select(model.organization_id).where(model.id == key))
    if organization_id is None:
        raise NotFound(f"There is no {what} “{key[:40]}”.")
    with as_tenant(organization_id):
        yield


def _every_backup() -> list[str]:
    with as_server():
        return list(db.session.scalars(select(Backup.id).where(Backup.deleted_at.is_(None)).order_by(Backup.created_at)))


def _write(given: export.Download, file: Path) -> None:
    """Write beside and rename, so that a file of that name is a whole one.

    Raises:
        InvalidInput: it cannot be written there.
    """
    beside = file.with_name(f".{file.name[:100]}.{os.getpid()}")
    try:
        with beside.open("xb") as out:
            for chunk in given.chunks():
                out.write(chunk)
        beside.replace(file)
    except FileNotFoundError as error:
        raise InvalidInput(f"There is no folder {file.parent}.") from error
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            beside.unlink()


def _backup_lines(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"{result['backup']}  “{result['name']}”"
    yield (f"{count_text(result['records'], 'record')}, {size_text(result['raw_bytes'])}, stored in {size_text(result['size_bytes'])}; "
           f"new in the store: {size_text(result['added_bytes'])} "
           f"({result['segments_added']} of {count_text(result['segments'], 'object')})")
    if "scan" in result:
        yield scan_sentence(result["scan"])
    yield f"content_id {result['content_id']}"


def _list_lines(result: Mapping[str, Any]) -> Iterator[str]:
    for b in result["backups"]:
        what = {"both": "with data", "config": "without data", "data": "data only"}[b["part"]]
        origin = "" if b["origin"] == "here" else f", from {ORIGINS[b['origin']]}"
        made = f", made {b['made_at']}" if b["made_at"] else ""
        yield (f"{b['backup']}  {b['created_at']}  {TYPES[b['type']]}, {what}{origin}{made}  "
               f"{size_text(b['size_bytes'])}  “{b['name']}”  {b['proof']}")


def _check_lines(result: Mapping[str, Any]) -> Iterator[str]:
    for one in result["checked"]:
        objects = count_text(one["objects"], "object")
        if one["level"] == proof.QUICK:
            yield f"{one['backup']}: all there, {objects}, {size_text(one['stored_bytes'])}; nothing of it was read"
        else:
            yield f"{one['backup']}: verified, {objects}, {size_text(one['raw_bytes'])}{_trial_text(one.get('trial'))}"


@contextmanager
def _telling_others(backup_id: str) -> Iterator[None]:
    """Let a refusal in the block that tells of damage name the other backups that it touches, and say what to do."""
    try:
        yield
    except AppkeepError as error:
        if error.code in UNSOUND:
            others = damaged_by(error.details.get("run"), but=backup_id)
            error.details["also_affected"] = [{"backup": one.backup_id, "name": one.name, "app": one.app_id, "app_name": one.app_name}
                                              for one in others]
            error.message = " ".join([error.message, *_others_text(others), WAY_OUT])
        raise


def _others_text(others: Sequence[Damaged]) -> Iterator[str]:
    if others:
        named = ", ".join(f"{one.backup_id} “{one.name}” of {one.app_id} “{one.app_name}”" for one in others[:NAMED_AT_MOST])
        more = f" and {len(others) - NAMED_AT_MOST} more" if len(others) > NAMED_AT_MOST else ""
        yield f"This also affects {len(others)} other backup{'s' if len(others) != 1 else ''}: {named}{more}."


def _trial_text(trial: Mapping[str, Any] | None) -> str:
    if trial is None:
        return ""
    if trial["same"]:
        return "; trial restore: identical"
    return f"; trial restore: identical except for {trial['references_not_restored']} references to items not in the backup"


@verb(commands, "backup", show=_backup_lines)
@click.argument("app_id", metavar="APP")
@click.option("--data", is_flag=True, help="Include records and their files.")
@click.option("--name", help="1 to 120 characters (default: type, app and time).")
@as_option
@worker_option
def backup(app_id: str, data: bool, name: str | None, email: str | None, worker: bool) -> dict[str, Any]:
    """Back up APP as one consistent moment, even while people work in it."""
    with service.opened(app_id) as app:
        person = person_of(email)
        result = done(lambda send: requests.request_backup(app, person, data=data, name=name, send=send), worker=worker)
        report = result["report"]
        return {"run": result["run"], **report, "seconds": report["milliseconds"] / 1000}


@verb(commands, "backups", bare=True, show=_list_lines)
@click.argument("app_id", metavar="APP")
def backups(app_id: str) -> dict[str, Any]:
    """List the backups of APP, newest first."""
    with service.opened(app_id) as app:
        return {"backups": [{**backup_value(b), "proof": "Damaged" if b.check_error else how_proven(b, now_us())}
                            for b in backups_of(app.id)]}


@verb(commands, "plan", show=plan_lines)
@click.argument("backup_id", metavar="BACKUP")
@_parts
@only_option
@click.option("--bin-newer", is_flag=True, help="Move records created since the backup to the recycle bin.")
@click.option("--app", "app_id", metavar="APP", help="Plan for this app instead of the backup's own.")
@click.option("--records", multiple=True, metavar="X", help="Name the records of this collection (worksheet/w_…), with their values.")
def plan(backup_id: str, config: bool, data: bool, only: tuple[str, ...], bin_newer: bool, app_id: str | None,
         records: tuple[str, ...]) -> dict[str, Any]:
    """Show what a restore of BACKUP would change; change nothing. Without --config or --data: everything in it."""
    with opened_backup(backup_id) as found:
        config, data = asked_or_all(found, config=config, data=data)
        app, person = service.find(app_id or found.app_id), person_of(None)
        planned = plan_of(app, found, person, config=config, data=data, only=only, bin_newer=bin_newer)
        options = Options(backup=found.id, config=config, data=data, only=only, bin_newer=bin_newer)
        lists = {one: planned_lists(app, found, person, options, one, limit=LISTED_AT_MOST) for one in records}
        return planned | ({"records": lists} if lists else {})


@verb(commands, "restore", show=restore_lines)
@click.argument("backup_id", metavar="BACKUP")
@_parts
@only_option
@click.option("--app", "app_id", metavar="APP", help="Restore into this app instead of the backup's own.")
@click.option("--no-safety-backup", is_flag=True, help="Do not back up the current version first.")
@click.option("--plan", "plan_digest", metavar="DIGEST", help="Restore only if this plan still applies.")
@click.option("--bin-newer", is_flag=True, help="Move records created since the backup to the recycle bin.")
@click.option("--accept-origin", is_flag=True, help="Allow a backup from another app or server to overwrite the app.")
@as_option
@worker_option
def restore(backup_id: str, config: bool, data: bool, only: tuple[str, ...], app_id: str | None, no_safety_backup: bool,
            plan_digest: str | None, bin_newer: bool, accept_origin: bool, email: str | None, worker: bool) -> dict[str, Any]:
    """Restore BACKUP in place, all or nothing. Without --config or --data: everything in it."""
    with opened_backup(backup_id) as found:
        config, data = asked_or_all(found, config=config, data=data)
        options = Options(backup=found.id, config=config, data=data, safety_backup=not no_safety_backup,
                          accept_origin=accept_origin, plan=plan_digest, only=only, bin_newer=bin_newer)
        app = service.find(app_id or found.app_id)
        person = person_of(email)
        return done(lambda send: requests.request_restore(app, found, options, person, send=send), worker=worker)


@verb(commands, "undo", show=lambda result: (plan_lines if "components" in result else restore_lines)(result))
@click.argument("run_id", metavar="RUN")
@click.option("--also-later", is_flag=True, help="Also undo changes made since the restore.")
@click.option("--dry-run", is_flag=True, help="Show what would change; change nothing.")
@as_option
@worker_option
def undo(run_id: str, also_later: bool, dry_run: bool, email: str | None, worker: bool) -> dict[str, Any]:
    """Undo the restore RUN. What people changed since stays."""
    with opened_run(run_id) as undone:
        app, person = service.find(undone.app_id or ""), person_of(email)
        if dry_run:
            return plan_undo(app, find_run(run_id), person, also_later=also_later)
        return done(lambda send: requests.request_undo(app, find_run(run_id), person, also_later=also_later, send=send),
                    worker=worker)


@verb(commands, "restore-as-new", show=lambda result: (f"app {result['app']}  “{result['name']}”",))
@click.argument("backup_id", metavar="BACKUP")
@click.option("--name", help="Name of the new app.")
@as_option
@worker_option
def restore_as_new(backup_id: str, name: str | None, email: str | None, worker: bool) -> dict[str, Any]:
    """Create an app from the configuration of BACKUP, without its data."""
    with opened_backup(backup_id) as found:
        person = person_of(email)
        result = done(lambda send: requests.request_copy(found, person, name=name, send=send), worker=worker)
        return {"run": result["run"], **result["report"]}


@verb(commands, "backup-rename", show=lambda result: (f"{result['backup']}  “{result['name']}”",))
@click.argument("backup_id", metavar="BACKUP")
@click.argument("name")
@as_option
def backup_rename(backup_id: str, name: str, email: str | None) -> dict[str, Any]:
    """Rename BACKUP to NAME (1 to 120 characters)."""
    with opened_backup(backup_id), transaction():
        return backup_value(catalog.rename(backup_id, name, person_of(email)))


@verb(commands, "backup-pin", show=lambda result: (f"{result['backup']}  {'pinned' if result['pinned'] else 'not pinned'}",))
@click.argument("backup_id", metavar="BACKUP")
@click.option("--off", is_flag=True, help="Unpin it.")
@as_option
def backup_pin(backup_id: str, off: bool, email: str | None) -> dict[str, Any]:
    """Pin BACKUP: nobody and no retention deletes it until it is unpinned."""
    with opened_backup(backup_id), transaction():
        return backup_value(catalog.pin(backup_id, person_of(email), pinned=not off))


@verb(commands, "backup-delete", show=lambda result: (f"{result['backup']}  “{result['name']}” deleted",))
@click.argument("backup_id", metavar="BACKUP")
@as_option
def backup_delete(backup_id: str, email: str | None) -> dict[str, Any]:
    """Delete BACKUP. Data shared with other backups stays; gc removes the rest."""
    with opened_backup(backup_id), transaction():
        return backup_value(catalog.delete(backup_id, person_of(email)))


@verb(commands, "upload")
@click.argument("file", type=click.File("rb"))
@click.option("--app", "app_id", metavar="APP", required=True)
@click.option("--name", help="1 to 120 characters (default: type, app and time).")
@as_option
def upload(file: Any, app_id: str, name: str | None, email: str | None) -> dict[str, Any]:
    """Upload a backup FILE as a backup of APP, after verifying all of it."""
    _check_seekable(file)
    with service.opened(app_id) as app:
        person = person_of(email)
        with noting("upload", app_id, person):
            made = ingest.upload(file, app, person, name).id
        note("upload", app_id, person, backup_id=made, file=Path(file.name).name)
        return backup_value(find_backup(made))


@verb(commands, "download", show=lambda result: (f"{result['file']}: {result['size_bytes']} bytes",))
@click.argument("backup_id", metavar="BACKUP")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--part", type=click.Choice(("config", "data", "both")), help="Default: everything in the backup.")
def download(backup_id: str, file: Path, part: str | None) -> dict[str, Any]:
    """Write BACKUP to FILE, or into the folder FILE; it opens in any unzip tool."""
    with opened_backup(backup_id) as found:
        person, app_id, held = person_of(None), found.app_id, part or found.part
        with noting("download", app_id, person, backup_id=backup_id, part=held):
            given = export.download(found, held)
        file = file / given.file_name if os.path.isdir(file) else file
        _write(given, file)
        note("download", app_id, person, backup_id=backup_id, part=held, size_bytes=given.size)
        return {"file": str(file), "part": held, "size_bytes": given.size}


def _check_seekable(file: Any) -> None:
    """Refuse a pipe.

    Raises:
        InvalidInput: the file cannot be read twice.
    """
    if not file.seekable():
        raise InvalidInput("A backup file is read twice: give a file, not a pipe.")


@verb(commands, "inspect")
@click.argument("file", type=click.File("rb"))
def inspect(file: Any) -> dict[str, Any]:
    """Verify a backup FILE and show what it contains; nothing is stored."""
    _check_seekable(file)
    return ingest.inspect(file)


@verb(commands, "check", show=_check_lines)
@click.argument("backup_id", metavar="BACKUP", required=False)
@click.option("--all", "all_", is_flag=True, help="Check every backup on this server.")
@click.option("--deep", is_flag=True, help="Also restore it into a temporary app and compare.")
@click.option("--quick", is_flag=True, help="Only see that everything is there in its right size; read nothing but lists.")
@worker_option
def check(backup_id: str | None, all_: bool, deep: bool, quick: bool, worker: bool) -> dict[str, Any]:
    """Verify BACKUP: every object is present and matches its digest."""
    if all_ is (backup_id is not None):
        raise InvalidInput("Give one backup, or --all.")
    wanted = _every_backup() if all_ else [backup_id or ""]
    checked = []
    for one in wanted:
        with opened_backup(one) as found, _telling_others(one):
            ask = partial(_ask_check, found, deep and (not all_ or found.part != "data"), quick)
            checked.append(done(ask, worker=worker)["report"])
    return {"checked": checked}
