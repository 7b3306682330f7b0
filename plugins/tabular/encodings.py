"""Encodings: which of those in use makes sense of bytes that are not UTF-8, by what letters and words it would give. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import pairwise

LABELS = {"cp1252": "Windows-1252 (western)", "cp1250": "Windows-1250 (central European)", "cp1251": "Windows-1251 (Cyrillic)",
          "koi8_r": "KOI8-R (Cyrillic)", "cp866": "IBM 866 (Cyrillic)", "cp1253": "Windows-1253 (Greek)",
          "cp1254": "Windows-1254 (Turkish)", "cp1255": "Windows-1255 (Hebrew)",
          "cp1256": "Windows-1256 (Arabic)", "mac_roman": "Mac Roman (western)", "cp850": "IBM 850 (western)",
          "cp932": "Shift-JIS (Japanese)", "euc_jp": "EUC-JP (Japanese)", "cp949": "EUC-KR (Korean)",
          "gb18030": "GB 18030 (Chinese)", "big5": "Big5 (Chinese)"}
"""The encodings that are considered, and what people call them."""
FALLBACK = "cp1252"
_COMMON = {"CYRILLIC": "оеаинтсрвлкмдпуя", "GREEK": "αοιετνσηρκπυςλόίάέήώύμ", "HEBREW": "יוהלאמשרבתנדח", "ARABIC": "اليموتنربدةس"}
_WORD = re.compile(r"[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+")
_SIGNS = "°€§©®№"
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")
_SMALL_KANA = re.compile(rb"[\xa1-\xdf]")
_NEAR = 0.02
"""Two that are as good as this are told apart by their order only."""


def likely(content: bytes) -> str:
    """Return the encoding that makes most sense of bytes that are not UTF-8; Windows-1252 where none does."""
    found = FALLBACK, 0.0
    for name, judge in _JUDGES.items():
        sense = judge(name, content)
        if sense > found[1] + _NEAR:
            found = name, sense
    return found[0]


def _by_words(name: str, content: bytes) -> float:
    """Return how much sense the words make that have other letters than ASCII: 1 as in any text, 0 or less as noise."""
    try:
        text = content.decode(name)
    except UnicodeDecodeError:
        return 0.0
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    high = sum(char > "\x7f" for word in words for char in word)
    return sum(map(_sense, words)) / high if high else 0.0


def _sense(word: str) -> float:
    """Return what the letters of a word beyond ASCII speak for it, at most one for each."""
    others = [char for char in word if char > "\x7f"]
    signs = [char for char in others if not char.isalpha()]
    if any(unicodedata.category(char)[0] not in "PSZNM" for char in signs):
        return -2.0 * len(others)
    scripts = {_script(char) for char in word if char.isalpha()}
    if len(scripts) > 1 or _turns(word) or _signed(word):
        return -float(len(others))
    return 0.7 * len(signs) + _spelt(word, [char for char in others if char.isalpha()], scripts)


def _spelt(word: str, others: list[str], scripts: set[str]) -> float:
    """Return what letters of one script speak for a word."""
    script = scripts.pop() if scripts else ""
    if script == "LATIN":
        return float(len(others)) if len(others) <= 2 or 2 * len(others) <= len(word) else -float(len(others))
    common = _COMMON.get(script, "")
    return sum(0.55 + 0.45 * (char.lower() in common) for char in others)


def _script(char: str) -> str:
    return "LATIN" if char < "\x80" else unicodedata.name(char, "NONE").partition(" ")[0]


def _signed(word: str) -> bool:
    """Say whether a sign or figure beyond ASCII stands before a letter, as in no word."""
    return any(unicodedata.category(a)[0] in "SN" and a > "\x7f" and a not in _SIGNS and b.isalpha() for a, b in pairwise(word))


def _turns(word: str) -> bool:
    """Say whether capitals follow small letters, as no word has them."""
    return any(a.islower() and b.isupper() and (a > "\x7f" or b > "\x7f") for a, b in pairwise(word))


def _by_pairs(name: str, content: bytes) -> float:
    """Return which share of the pairs of bytes are letters that texts mostly have."""
    try:
        content.decode(name)
    except UnicodeDecodeError:
        return 0.0
    pairs = _PAIR.findall(content)
    if not pairs:
        return 0.0
    single = len(_SMALL_KANA.findall(_PAIR.sub(b"", content)))
    usual = sum(_USUAL[name](pair[0], pair[1]) for pair in pairs)
    return _TRUST[name] * usual / (len(pairs) + single)


_USUAL: dict[str, Callable[[int, int], bool]] = {
    "cp932": lambda first, second: first in (0x82, 0x83) or 0x88 <= first <= 0x97,
    "cp949": lambda first, second: 0xB0 <= first <= 0xC8 and second >= 0xA1,
    "euc_jp": lambda first, second: first in (0xA4, 0xA5),
    "gb18030": lambda first, second: 0xB0 <= first <= 0xD7 and second >= 0xA1,
    "big5": lambda first, second: 0xA4 <= first <= 0xC6}
_TRUST = {"cp932": 0.99, "cp949": 0.98, "euc_jp": 1.6, "gb18030": 0.95, "big5": 0.9}
_JUDGES: dict[str, Callable[[str, bytes], float]] = {
    **dict.fromkeys(("cp1252", "cp1251", "cp1253", "koi8_r", "cp1255", "cp1256", "cp1250", "cp866", "mac_roman", "cp850"), _by_words),
    **dict.fromkeys(_USUAL, _by_pairs)}
