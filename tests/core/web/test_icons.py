"""Icons and what stands beside an app's name: drawn, typed, or made of its letters; read well on every colour."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from core.web.icons import DARK, ICONS, LIGHT, icon, is_sign, readable_on


def test_every_drawing_is_shown_by_its_name(sqlite_server: Flask) -> None:
    """There are some, and each is a part of one file."""
    assert 20 < len(ICONS) == len(set(ICONS))
    with sqlite_server.test_request_context("/"):
        assert all(re.search(rf"icons\.svg\?v=[0-9a-f]+#{name}\b", icon(name)) for name in ICONS)


@pytest.mark.parametrize("text", ["🥐", "★", "👩‍🌾", "字"])
def test_a_sign_stands_for_itself(sqlite_server: Flask, text: str) -> None:
    """Such as an emoji, also one that is put together of several."""
    with sqlite_server.test_request_context("/"):
        assert is_sign(text) and text in icon(text)


@pytest.mark.parametrize("text", ["", "no-such-drawing", "iconoir-home", "<b>", "ab", "🥐<script>", "🥐" * 9])
def test_what_is_neither_is_not_shown(sqlite_server: Flask, text: str) -> None:
    """Names of other programs' drawings, words, markup."""
    with sqlite_server.test_request_context("/"):
        assert "" == icon(text)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    parts = [int(colour[n:n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@given(st.integers(0, 0xFFFFFF))
def test_letters_can_be_read_on_every_colour(number: int) -> None:
    """With the contrast that WCAG 2 asks of normal text, whatever colour somebody chose."""
    colour = f"#{number:06x}"
    chosen = readable_on(colour)
    assert chosen in (DARK, LIGHT)
    high, low = sorted((luminance(colour), luminance(chosen)), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 4.5
