"""The WSGI application, for any server: ``granian --interface wsgi wsgi:app`` or ``waitress-serve wsgi:app``."""

import os

from core.app import create_app
from core.base.db import db
from core.imports import reader_process
from core.tenancy.migrate import ensure_schema

os.umask(0o077)  # the database is for this user alone
app = create_app()
with app.app_context():
    ensure_schema()
    db.engine.dispose()  # no connection is shared with the process that is forked now
reader_process.start(app)
