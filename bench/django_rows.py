"""A command of Django's over the table `bench_row`: ``python -m bench.django_rows dumpdata …``."""

from __future__ import annotations

import os
import sys
import types

from sqlalchemy import make_url

LABEL = "bench"


def settings_of(url: str) -> dict[str, object]:
    """Return Django's settings of a database."""
    made = make_url(url)
    if made.get_backend_name() == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": made.database}
    host = made.host or made.query.get("host")
    return {"ENGINE": "django.db.backends.postgresql", "NAME": made.database, "USER": made.username, "PASSWORD": made.password or "",
            "HOST": host, "PORT": made.port or ""}


def main() -> None:
    """Set Django up with one model, and do what the command line says."""
    import django
    from django.apps import AppConfig
    from django.conf import settings
    from django.core.management import execute_from_command_line

    module = types.ModuleType("bench_rows_app")
    module.__file__ = __file__
    sys.modules[module.__name__] = module

    class Config(AppConfig):  # type: ignore[misc]
        name, label, path = module.__name__, LABEL, os.path.dirname(__file__)

    module.Config = Config  # type: ignore[attr-defined]
    settings.configure(DATABASES={"default": settings_of(os.environ["BENCH_DATABASE"])}, INSTALLED_APPS=["bench_rows_app.Config"])
    django.setup()
    from django.apps import apps
    from django.db import models

    class Row(models.Model):  # type: ignore[misc]
        seq = models.BigIntegerField(primary_key=True)
        vals, created_by, updated_by = models.TextField(), models.TextField(), models.TextField()
        created_at, updated_at = models.BigIntegerField(), models.BigIntegerField()

        class Meta:
            app_label, db_table, managed = LABEL, "bench_row", False

    apps.get_app_config(LABEL).models_module = module  # an app without one is left out
    execute_from_command_line(["bench", *sys.argv[1:]])


if __name__ == "__main__":
    main()
