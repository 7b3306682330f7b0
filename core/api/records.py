"""Records and files: what a component with data gives to others, and the contents it stores."""

from core.apps.records import ask_record, ask_records
from core.backups.holders import Holder, Holders, backups_holding
from core.base.zips import check_ratio, open_zip
from core.extension.record_contract import (
    MOST_RECORDS,
    Acting,
    FieldGiven,
    FileGiven,
    RecordChange,
    RecordGiven,
    RecordPanel,
    RecordsAsked,
    RecordsGiven,
    Stored,
)
from core.objects.images import PICTURES, SHOWN_TYPES, put_picture
from core.objects.index import files_missing, stored_bytes
from core.objects.reader import read_file
from core.objects.writer import ObjectWriter, put_file, writing_objects

__all__ = [
    "MOST_RECORDS",
    "PICTURES",
    "SHOWN_TYPES",
    "Acting",
    "FieldGiven",
    "FileGiven",
    "Holder",
    "Holders",
    "ObjectWriter",
    "RecordChange",
    "RecordGiven",
    "RecordPanel",
    "RecordsAsked",
    "RecordsGiven",
    "Stored",
    "ask_record",
    "ask_records",
    "backups_holding",
    "check_ratio",
    "files_missing",
    "open_zip",
    "put_file",
    "put_picture",
    "read_file",
    "stored_bytes",
    "writing_objects",
]
