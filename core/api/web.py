"""Pages: where they stand and who may open them, editors of documents, answers, signs."""

from core.backups.log_sentences import act_sentence as backup_act_sentence
from core.base.text import size_text
from core.web import matrix
from core.web.answers import again, send_kept
from core.web.bin import binned
from core.web.csvfile import csv_response, harmless
from core.web.days import day_asked, midnight
from core.web.editor import Editing, Input, Target, Targets, digest, seen_another, walk
from core.web.files import disposition, file_response, keep_upload, most_form_bytes, safe_name, upload_type
from core.web.gate import APP, GUESTS, MANAGE, ORGANIZATION, Needs, Pages
from core.web.icons import ICONS, Look, is_sign
from core.web.menu import MenuItem
from core.web.protection import csrf, limiter, spend
from core.web.role_form import RoleForm, RoleShown
from core.web.runs import to_run
from core.web.shell import document_url, edit_url
from core.web.visit import Guest, Visitor, current_app_row, current_standing, require, rights_here, visit

__all__ = [
    "APP",
    "GUESTS",
    "ICONS",
    "MANAGE",
    "ORGANIZATION",
    "Editing",
    "Guest",
    "Input",
    "Look",
    "MenuItem",
    "Needs",
    "Pages",
    "RoleForm",
    "RoleShown",
    "Target",
    "Targets",
    "Visitor",
    "again",
    "backup_act_sentence",
    "binned",
    "csrf",
    "csv_response",
    "current_app_row",
    "current_standing",
    "day_asked",
    "digest",
    "disposition",
    "document_url",
    "edit_url",
    "file_response",
    "harmless",
    "is_sign",
    "keep_upload",
    "limiter",
    "matrix",
    "midnight",
    "most_form_bytes",
    "require",
    "rights_here",
    "safe_name",
    "seen_another",
    "send_kept",
    "size_text",
    "spend",
    "to_run",
    "upload_type",
    "visit",
    "walk",
]
