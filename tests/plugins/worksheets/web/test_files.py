"""Files of records: who gets them, and how they are sent."""

from __future__ import annotations

import io

import pytest

from core.api import as_tenant, disposition, put_file, safe_name
from tests.plugins.worksheets.web.making import Desk, key_of

FILE = key_of("f", "file")


def put(desk: Desk, name: str, kind: str, content: bytes = b"content") -> str:
    """Make a record with a file and return the file's address."""
    with as_tenant(desk.organization_id):
        digest, size = put_file(io.BytesIO(content))
    seq = desk.put(text="A", file=[{"file": digest, "name": name, "size": size, "type": kind}])
    return desk.url(f"/record/{seq}/file/{FILE}/{digest}")


@pytest.mark.parametrize(("kind", "way"), [("image/png", "inline"), ("application/pdf", "inline"), ("text/plain", "inline"),
                                           ("text/html", "attachment"), ("image/svg+xml", "attachment"), ("application/xhtml+xml", "attachment")])
def test_only_what_is_harmless_is_shown_by_the_browser(desk: Desk, kind: str, way: str) -> None:
    """All else is saved to disk, as bytes of no type."""
    answer = desk.owner.get(put(desk, "a.bin", kind))

    assert answer.data == b"content"
    assert answer.headers["Content-Disposition"].startswith(f"{way};")
    assert answer.mimetype == (kind if way == "inline" else "application/octet-stream")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_name_cannot_break_the_header(desk: Desk) -> None:
    """Quotes, semicolons and other alphabets come through RFC 5987."""
    answer = desk.owner.get(put(desk, 'Rechnung "ü"; x=y.pdf', "application/pdf"))

    assert answer.headers["Content-Disposition"] == (
        "inline; filename=\"Rechnung ____ x=y.pdf\"; filename*=UTF-8''Rechnung%20%22%C3%BC%22%3B%20x%3Dy.pdf")
    assert "\n" not in disposition("inline", "a\r\nb")


def test_a_file_belongs_to_the_record_that_names_it(desk: Desk) -> None:
    """Its digest at another record, another field or a deleted record finds nothing."""
    url = put(desk, "a.txt", "text/plain")
    desk.put(text="B")

    assert desk.owner.get(url.replace("/record/1/", "/record/2/")).status_code == 404
    assert desk.owner.get(url.replace(FILE, key_of("f", "signature"))).status_code == 404
    desk.owner.post(desk.url("/record/1/delete"))
    assert desk.owner.get(url).status_code == 404


def test_names_of_uploads_are_made_safe() -> None:
    """Folders and control characters go, the ending stays."""
    assert safe_name("../../etc/passwd") == "passwd"
    assert safe_name("C:\\x\\a\tb.txt") == "ab.txt"
    assert safe_name("") == "file"
    assert safe_name("x" * 300 + ".pdf") == "x" * 251 + ".pdf"
