"""The last number of each of many worksheets, asked at once."""

from __future__ import annotations

from flask import Flask

from core.api import App, db, transaction
from plugins.worksheets.records import Row, open_store


def test_each_worksheet_has_its_own_last_record(server: Flask, app: App) -> None:
    """The last that is live; 0 where none is; as asking for each by itself gives."""
    one, two, three, none = (f"w_{n}111111111" for n in range(4))
    with transaction():
        store = open_store(db.session.connection(), app.id)
        for key, rows in {one: {1: None, 7: None}, two: {3: None, 9: 5}, three: {4: 5}}.items():
            store.write(key, [Row(seq, "{}", None, 1, "system", 1, "system", deleted_at) for seq, deleted_at in rows.items()])
    store, asked = open_store(db.session.connection(), app.id), [one, two, three, none]
    assert {one: 7, two: 3, three: 0, none: 0} == store.lasts(asked) == {key: store.last(key) for key in asked}
    assert {} == store.lasts([])
