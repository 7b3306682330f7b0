"""Backup files of another server."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.api import apps, as_tenant, db, direct, import_file
from core.app import create_app
from core.archive.compression import compress
from core.archive.container import Container
from core.archive.reader import read
from core.base.config import read_config
from tests.core.archive.making import KEY
from tests.web import make_organization, make_person


def foreign_files(home: Path, template: Path) -> dict[str, bytes]:
    """Return a backup of the sample app as files, part by part, made and signed by a server whose home is *home*."""
    shutil.copy(template, home / "appkeep.db")
    server = create_app(read_config({}, home=str(home)))
    with server.app_context():
        organization_id, person = make_organization("There"), make_person("there@example.org")
        with as_tenant(organization_id):
            app_id = import_file(Path("sample"), organization_id, person, importer="sample")["app"]
            backup = direct.back_up(apps.find(app_id))
            found = {part: direct.file_of(backup, part) for part in ("config", "data", "both")}
        db.session.remove()
        db.engine.dispose()
    return found


def retold(content: bytes, **envelope: Any) -> bytes:
    """Return a backup file that says something else of itself, signed by whoever says so."""
    archive = read(io.BytesIO(content))
    manifest = replace(archive.manifest, envelope={**archive.manifest.envelope, **envelope}).to_bytes()
    layout = archive.container.layout
    stored = {one.content: stream.read() for one, stream in archive.objects()} | {layout.content: compress(archive.container.layout_raw)}
    container = Container(manifest, KEY.sign(manifest), layout, archive.container.layout_raw)
    return b"".join(container.chunks(lambda one: iter((stored[one.content],))))
