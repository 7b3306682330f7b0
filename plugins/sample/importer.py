"""The sample app as an importer that needs no file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.api import ImportContext, Importer
from plugins.sample import around, files, records
from plugins.sample.keys import key
from plugins.sample.pages import pages
from plugins.sample.worksheets import WORKSHEETS

SVG = "image/svg+xml"


class Sample(Importer):
    """A small CRM of five linked worksheets and their lines, with pages, workflows, roles, a portal and files."""

    name, title = "sample", "Sample app"

    def operations(self, path: Path, context: ImportContext) -> Iterator[Mapping[str, Any]]:
        """*path* is not read."""
        logos = [files.put(context, files.logo(n), f"logo-{n + 1}.svg", SVG) for n in range(4)]
        offer = files.put(context, files.offer(), "offer.pdf", "application/pdf")
        signature = files.put(context, files.logo(5), "signature.svg", SVG)
        documents = [(f"worksheet/{key('w', name)}", make()) for name, make in WORKSHEETS.items()]
        documents += [(f"page/{page}", body) for page, body in pages().items()]
        for part in (around.settings(logos[0]), around.workflows(), around.roles(), around.portal(logos[0])):
            documents += list(part)
        for place, (address, body) in enumerate(documents):
            yield {"op": "put", "document": address, "body": body, "position": 0 if address.endswith("/main") else place}
        for sheet, given in (("Companies", records.companies(logos)), ("Contacts", records.contacts(logos[1])),
                             ("Deals", records.deals(offer, signature)), ("Lines", records.lines()),
                             ("Activities", records.activities()), ("Products", records.products())):
            yield records.numbered(sheet, given)
