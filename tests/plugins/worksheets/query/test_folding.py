"""Folding is the same in Python and in each database; a search that looks at what is ASCII first finds what it found."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, literal, select

from core.api import db
from plugins.worksheets.records.keys import fold, folding
from plugins.worksheets.records.values import values_of

MIXED = ["Müller", "STRAẞE", "Ægir – “Ø” €", "Ähre Ж", "İstanbul", "Ǆ Ά Ω ς Σ", "ПРИВЕТ", "Ա Ⴀ Ꭰ ᾼ Ⓐ Ａ", "𐐀𞤀", "東京 Ä", "K ſ", "Việt Ế", "a\u0301Ä"]


def test_every_character_folds_alike(server: Flask) -> None:
    """Alone, and in texts of one script, of several, and with signs that have no case."""
    every = "".join(chr(code) for code in range(1, 0x1F000) if not 0xD800 <= code < 0xE000)
    texts = [*MIXED, *(every[n:n + 500] for n in range(0, len(every), 500)), *(f"x{chr(code)}–" for code in folding())]
    connection = db.session.connection()
    values_of(connection)
    told = connection.execute(select(*(func.appkeep_fold(literal(text)) for text in texts[:500]))).one()
    told = [*told, *(connection.scalar(select(func.appkeep_fold(literal(text)))) for text in texts[500:])]
    assert [] == [(text, one) for text, one in zip(texts, told, strict=True) if fold(text) != one]


@pytest.mark.parametrize("word", ["müller", "MÜLLER", "ß", "ægir", "жук", "ler", "k", "東京", "ä", "ss", "straẞe", "e–x"])
def test_what_may_have_a_word_is_let_through(server: Flask, word: str) -> None:
    """Whatever the case of either: never less than where both are folded."""
    texts = [*MIXED, "MULLER", "Mu\u0308ller", "STRASSE", "ЖУК", "\u212aelvin", "E–X", "nothing"]
    connection = db.session.connection()
    values, part = values_of(connection), fold(word)
    told = connection.execute(select(*(values.mentions(literal(text), part) for text in texts))).one()
    assert [] == [text for text, found in zip(texts, told, strict=True) if part in fold(text) and not found]
