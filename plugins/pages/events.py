"""Events: what a page's buttons and forms do, as far as the visitor may. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.api import InvalidInput, NotFound, RecordGiven, RecordsAsked, server
from plugins.pages.links import DOES, Links
from plugins.pages.page_context import PageContext
from plugins.pages.text_templates import is_true
from plugins.pages.visibility import visible

SUBMITS = ("form",)
Body = Mapping[str, Any]


@dataclass
class Outcome:
    """Where to go afterwards (None: stay), and what to say."""

    url: str | None = None
    messages: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Event:
    """Does the events of one block, in their order."""

    context: PageContext
    leads: Links
    outcome: Outcome = field(default_factory=Outcome)
    of: str = ""
    """The address of the worksheet of the record in which the block stands."""

    def act(self, way: Sequence[Body], source: str | None, record: str) -> Outcome:
        """Do what the last block of a way does when it is clicked or sent; the others are those it stands in.

        Raises:
            InvalidInput: a value does not fit; nothing is done.
            NotFound: what it is about is not there, or not for the visitor.
        """
        viewer = self.context.viewer
        if not way or not (viewer.admin or all(visible(one, viewer) for one in way)):
            raise NotFound("This button is no longer on the page. Reload the page.")
        block = way[-1]
        on = "submit" if block.get("type") in SUBMITS else "click"
        one = self._record(source, record)
        if on == "submit":
            self._check(block)
        for event in block.get("events", ()):
            if event["on"] == on and event["do"] in DOES and ("when" not in event or is_true(self.context.text(event["when"], one))):
                _DO[event["do"]](self, event, one)
        return self.outcome

    def _record(self, source: str | None, text: str) -> RecordGiven | None:
        """Return the record in which the block stood, read again as the visitor."""
        body = self.context.sources.get(source or "")
        if body is None or "worksheet" not in body or not (text.isascii() and text.isdigit() and len(text) < 16):
            return None
        self.of = str(body["worksheet"]["ref"])
        given = self.context.ask(RecordsAsked(worksheet=self.of, seqs=(int(text),), limit=1))
        if given is None or not given.records:
            raise NotFound("This record was deleted.")
        return given.records[0]

    def _check(self, form: Body) -> None:
        for block in inputs(form.get("blocks", ())):
            if block.get("required") and not self.context.typed.get(block["key"], "").strip() and block["type"] != "file_input":
                raise InvalidInput(f"“{self.context.text(block.get('label')) or 'A field'}” is required.")

    def open(self, event: Body, record: RecordGiven | None) -> None:
        """Go to a page or address; the last one counts."""
        lead = self.leads.target(event, record)
        if lead.url is not None:
            self.outcome.url = lead.url

    def create(self, event: Body, record: RecordGiven | None) -> None:
        """Make a record."""
        self._write(event, record, None)

    def update(self, event: Body, record: RecordGiven | None) -> None:
        """Change a record: the one it names, else the one it stands in."""
        self._write(event, record, self._seq(event, record))

    def delete(self, event: Body, record: RecordGiven | None) -> None:
        """Move a record to the recycle bin."""
        if not server().registry.hook.remove_record(app=self.context.app, person=self.context.viewer.person,
                                                    worksheet=self._sheet(event), seq=self._seq(event, record)):
            raise NotFound("This record was deleted.")

    def notify(self, event: Body, record: RecordGiven | None) -> None:
        """Say something once the page is shown again."""
        said = [text for name in ("title", "message") if (text := self.context.reading(event.get(name), record).strip())]
        if said:
            self.outcome.messages.append(("good", ": ".join(said)[:1000]))

    def run(self, event: Body, record: RecordGiven | None) -> None:
        """Start a workflow, about the record that the event names or the block stands in, if any."""
        if "workflow" not in event:
            raise InvalidInput("This button has no workflow yet. An app admin can set one.")
        seq = self._seq(event, record) if "record" in event or record is not None else None
        sheet = event["worksheet"]["ref"] if "worksheet" in event else self.of
        said = server().registry.hook.start_document(
            app=self.context.app, address=event["workflow"]["ref"], person=self.context.viewer.person,
            worksheet=sheet.rpartition("/")[2] if sheet and seq is not None else None, seq=seq)
        if said is None:
            raise InvalidInput("The workflow that this button starts was deleted. An app admin can choose another one.")
        self.outcome.messages.append(("good", said))

    def refresh(self, event: Body, record: RecordGiven | None) -> None:
        """Show the page again, which happens in any case."""

    def _write(self, event: Body, record: RecordGiven | None, seq: int | None) -> None:
        values = {one["field"]["ref"].rpartition("/")[2]: self.context.text(one["value"], record) for one in event.get("values", ())}
        made = server().registry.hook.write_record(app=self.context.app, person=self.context.viewer.person, worksheet=self._sheet(event),
                                                   seq=seq, values=values)
        if made is None:
            raise InvalidInput("Nothing was saved: the worksheet was deleted, or you have no access to it.")
        self.context.results.append(made)

    def _sheet(self, event: Body) -> str:
        if "worksheet" not in event:
            raise InvalidInput("This button has no worksheet yet. An app admin can set one.")
        found: str = event["worksheet"]["ref"]
        return found

    def _seq(self, event: Body, record: RecordGiven | None) -> int:
        text = self.context.text(event.get("record"), record).strip() if "record" in event else str(record.seq) if record else ""
        if not (text.isascii() and text.isdigit() and 0 < len(text) < 16):
            raise InvalidInput("This button does not say which record to change. An app admin can set one.")
        return int(text)


_DO = {"open_page": Event.open, "open_url": Event.open, "create_record": Event.create, "update_record": Event.update,
       "delete_record": Event.delete, "notify": Event.notify, "refresh": Event.refresh, "sign_out": Event.refresh,
       "run_workflow": Event.run}


def way_to(blocks: Iterable[Body], key: str) -> list[Body]:
    """Return the block, column or menu item of that key behind all that it stands in; nothing where there is none."""
    waiting: list[list[Body]] = [[one] for one in blocks]
    while waiting:
        way = waiting.pop()
        if way[-1].get("key") == key:
            return way
        waiting += [[*way, one] for inner in ("blocks", "items", "table_columns") for one in way[-1].get(inner, ())]
    return []


def inputs(blocks: Iterable[Body]) -> Iterable[Body]:
    """Yield the fields of a form, wherever they stand in it."""
    for block in blocks:
        if block["type"] in ("input", "choice", "date_input", "checkbox", "file_input", "rating", "record_select"):
            yield block
        yield from inputs(block.get("blocks", ()))
