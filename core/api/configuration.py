"""Apps and their documents: reading, changing and pointing to them, who may do what with them. Writers stand in order by `locks`."""

from core.apps import documents, locks, parts
from core.apps import parts as placing
from core.apps import service as apps
from core.apps.change_log import touch
from core.apps.long_edits import done_later
from core.apps.models import DocumentRow
from core.apps.permissions import EVERYTHING, NOTHING, Rights, Standing, author, rights, standing
from core.apps.role_entries import rights_of_entry
from core.apps.service import find_app, opened, org_choices, org_exists
from core.archive.canonical import canonical, parse
from core.backups import inline as direct
from core.base import schemas
from core.base.ids import KEY, SINGLE, SYSTEM, is_key, is_person, new_key
from core.base.refs import FILE_MARK, files, files_in_text, pointers
from core.base.text import checked_line, straight
from core.tenancy.models import App

__all__ = [
    "EVERYTHING", "FILE_MARK", "KEY", "NOTHING", "SINGLE", "SYSTEM", "App", "DocumentRow", "Rights", "Standing", "apps", "author",
    "canonical", "checked_line", "direct", "documents", "done_later", "files", "files_in_text", "find_app", "is_key", "is_person",
    "locks", "new_key", "opened", "org_choices", "org_exists", "parse", "parts", "placing", "pointers", "rights", "rights_of_entry",
    "schemas", "standing", "straight", "touch",
]
