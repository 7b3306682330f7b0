"""The schema-driven editor: every kind of document has a form, made of its JSON Schema, without a line of code.

`Editing` is one form in one request: made from a value, filled from what was sent, shown by `editor.html`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict

from core.archive.canonical import canonical
from core.base.errors import AppkeepError
from core.tenancy.models import App
from core.web.editor.inputs import Builder, Input, walk
from core.web.editor.pieces import Pieces, Schema, title_of
from core.web.editor.reading import ABSENT, Reader, Reading
from core.web.editor.sent import Sent, act, sent
from core.web.editor.targets import Target, Targets
from core.web.editor.uploads import place_uploads, seal, sealed, unknown_files

__all__ = ["ABSENT", "Editing", "Input", "Reading", "Target", "Targets", "digest", "seen_another", "title_of", "walk"]


def digest(value: Any) -> str:
    """Return what stands for a value, so that a form can say which one it was made from."""
    return hashlib.sha256(canonical(value)).hexdigest()[:32]


def seen_another(form: Mapping[str, str], value: Any) -> bool:
    """Say whether a form was made from another value than the one that is there: its field “seen” has that one's digest."""
    return form.get("seen") not in (None, digest(value))


class Editing:
    """One form: of the value *body* that follows *schema*, whose references lead into *root* (itself unless given).

    The top properties *without* are not part of the form and keep their values. Names in the form start with *prefix*.
    *narrow* may change the tree of controls before it is shown: offer less, ask otherwise for what is read the same.
    """

    def __init__(self, app: App, schema: Schema, body: Any, *, targets: Targets, root: Schema | None = None,
                 without: Iterable[str] = (), prefix: str = "v", title: str = "",
                 narrow: Callable[[Input], None] | None = None) -> None:
        self.narrow = narrow
        self.app, self.schema, self.body, self.targets, self.prefix, self.title = app, schema, body, targets, prefix, title
        self.root, self.without = root if root is not None else schema, frozenset(without)
        self.pieces = Pieces(self.root)
        self.reading = Reading(value=self._asked(body))
        self.refused: str | None = None
        self.stale = False
        self.status = 200
        self.focus: str | None = None
        self.fresh = set[str]()

    @property
    def digest(self) -> str:
        """What stands for the value that the form was made from."""
        return digest(self.body)

    @property
    def value(self) -> Any:
        """What the form says now, with what it does not ask for."""
        if not self.without or not isinstance(self.body, dict):
            return self.reading.value
        return {**self.reading.value, **{name: one for name, one in self.body.items() if name in self.without}}

    def _asked(self, value: Any) -> Any:
        return {name: one for name, one in value.items() if name not in self.without} if isinstance(value, dict) else value

    def receive(self, form: MultiDict[str, str], files: MultiDict[str, FileStorage]) -> bool:
        """Take what was sent and say whether it is to be saved: it is whole, and was not only a button of the form.

        Raises:
            InvalidInput: it is more than a form of ours would send.
        """
        tree = sent(form.items(multi=True), self.prefix)
        self.fresh = sealed(self.app, self.targets.person, (text for name, text in form.items(multi=True) if name.endswith("~seal")))
        self.fresh |= place_uploads(tree, files.items(multi=True), self.app, self.prefix)
        command = form.get("do", "save")
        if command != "save":
            self.focus = act(tree, command, self.prefix)
        self.fill(tree)
        if command != "save":
            self.reading.problems = {path: text for path, text in self.reading.problems.items() if path in self.reading.raw}
            return False
        return self._whole(form)

    def fill(self, tree: Sent) -> None:
        """Read what a form said."""
        self.reading = Reader(self.root, names=self.targets.named, without=self.without, pieces=self.pieces).read(self.schema, tree)

    def _whole(self, form: MultiDict[str, str]) -> bool:
        sent_digest = form.get(f"{self.prefix}~digest")
        if sent_digest is not None and sent_digest != self.digest:
            self.stale, self.status = True, 409
        elif self.reading.problems:
            self.status = 422
            self.refused = "Nothing was saved. Check the marked fields below."
        elif unknown_files(self.app, self.reading.value, self.body, self.fresh):
            self.status, self.refused = 422, "A file of this form is missing. Upload it again."
        return self.status == 200

    def refuse(self, error: AppkeepError) -> None:
        """Show a refusal: beside its field where the error says which, else above the form."""
        self.status = error.status
        path = error.details.get("path")
        if isinstance(path, list) and path:
            self.reading.problems[".".join(map(str, path))] = str(error.details.get("problem", error.message))
            self.refused = "Nothing was saved. Check the marked fields below."
        else:
            self.refused = error.message

    def _seal(self, digest: str) -> str:
        """Return what the form carries beside a file that is not saved yet, nothing beside others."""
        return seal(self.app, self.targets.person, digest) if digest in self.fresh else ""

    @cached_property
    def tree(self) -> Input:
        """The controls; made at first use, when nothing more comes."""
        builder = Builder(self.root, targets=self.targets, reading=self.reading, prefix=self.prefix, without=self.without,
                          pieces=self.pieces, narrow=self.narrow, seal=self._seal)
        return builder.build(self.schema, self.reading.value, self.title)

    @property
    def has_files(self) -> bool:
        """Whether the form can bring files."""
        return any(one.asks == "file" for one in walk(self.tree))

    @property
    def suggestions(self) -> dict[str, Any]:
        """The lists of suggestions that several controls share, by id."""
        return {one.listed: one.targets for one in walk(self.tree) if one.listed}
