"""The WSGI application, for any server: ``granian --interface wsgi wsgi:app`` or ``waitress-serve wsgi:app``."""

from core.app import create_app
from core.migrating import ensure_schema

app = create_app()
with app.app_context():
    ensure_schema()
