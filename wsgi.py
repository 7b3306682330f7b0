"""The WSGI application, for any server: ``granian --interface wsgi wsgi:app`` or ``waitress-serve wsgi:app``.

Importing it waits for the database, as the other processes do.
"""

import os

from core.app import create_app
from core.imports import reader_process
from core.processes.schema import make_ready

os.umask(0o077)  # the database is for this user alone
app = create_app()
with app.app_context():
    make_ready()
reader_process.start(app)
