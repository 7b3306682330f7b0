"""Small files of the sample, made here."""

from __future__ import annotations

from io import BytesIO

from core.api import ImportContext

COLOURS = ("#2f6f4f", "#b4552d", "#2b5f9e", "#7a4fa3")


def logo(n: int) -> bytes:
    """Return a drawing."""
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="12" fill="{COLOURS[n % 4]}"/>'
            f'<circle cx="32" cy="32" r="{12 + 3 * n}" fill="#fff"/></svg>\n').encode()


def offer() -> bytes:
    """Return a page of text as PDF."""
    body = b"BT /F1 24 Tf 72 720 Td (Our offer) Tj ET"
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
               b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
               b"<</Length %d>>stream\n%s\nendstream" % (len(body), body), b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    found, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, start=1):
        places.append(len(found))
        found += b"%d 0 obj%s endobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return found + b"xref\n0 6\n0000000000 65535 f \n" + table + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(found)


def put(context: ImportContext, data: bytes, name: str, kind: str) -> dict[str, object]:
    """Store a file and return its value."""
    return context.put_file(BytesIO(data), name, kind)
