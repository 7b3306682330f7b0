"""Compressed answers and files that browsers keep: what is compressed and what is not, and that no page gives a secret away by it."""

from __future__ import annotations

import gzip
import re

from flask import Flask

from core.api import App
from core.web import assets
from tests.core.web.notebooks import manage
from tests.web import Browser, browser, signed_in

GZIP = {"Accept-Encoding": "gzip, deflate"}


def test_a_page_is_compressed_for_whoever_takes_it_so(client: Browser, notebooks: App) -> None:
    """The same page, a fraction of its bytes; others get it as it is, and caches are told that there are two."""
    plain, packed = client.get(manage(notebooks)), client.get(manage(notebooks), headers=GZIP)
    assert "gzip" == packed.headers["Content-Encoding"] and "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in packed.headers["Vary"] and "Accept-Encoding" in plain.headers["Vary"]
    unmasked = re.compile(rb'value="[\w=-]{100,}"|"X-CSRFToken": "[^"]+"')
    assert unmasked.sub(b"", plain.data) == unmasked.sub(b"", gzip.decompress(packed.data))
    assert len(packed.data) < len(plain.data) / 2 and len(packed.data) == packed.content_length


def test_gzip_that_is_refused_is_not_used(client: Browser, notebooks: App) -> None:
    """A quality of nought means no."""
    assert "Content-Encoding" not in client.get(manage(notebooks), headers={"Accept-Encoding": "gzip;q=0, br"}).headers


def test_small_answers_and_redirects_are_sent_as_they_are(client: Browser) -> None:
    """There is nothing to be gained."""
    assert "Content-Encoding" not in client.get("/health", headers=GZIP).headers
    assert "Content-Encoding" not in client.get("/", headers=GZIP).headers


def test_a_token_looks_different_in_each_answer_and_is_good_all_the_same(sqlite_server: Flask, notebooks: App) -> None:
    """No two pages share eight signs of it, so that the length of a compressed page tells nothing of it; one that was changed is refused."""
    client = signed_in(sqlite_server, csrf=True)
    first, second = client.token("/account"), client.token("/account")
    parts = {first[n:n + 8] for n in range(len(first) - 7)}
    assert not parts & {second[n:n + 8] for n in range(len(second) - 7)}
    form = {"name": "Mia"}
    for sent in (first, second):
        assert 400 != client.post("/account/name", data={**form, "csrf_token": sent}).status_code
    for sent in ("", "x", first[:-4], first[:-8] + second[-8:], "ü" * 40, second[: len(second) // 2] * 2):
        assert 400 == client.post("/account/name", data={**form, "csrf_token": sent}).status_code


def test_a_style_sheet_is_kept_for_ever_under_its_digest_and_compressed(sqlite_server: Flask) -> None:
    """Its address changes with what is in it; without the digest, or with another, browsers ask again each time."""
    client = browser(sqlite_server)
    page = client.get("/sign-in", follow_redirects=True).get_data(as_text=True)
    url = re.search(r'href="(/static/appkeep\.css\?v=\w{12})"', page)
    assert url is not None
    kept = client.get(url[1], headers=GZIP)
    assert assets.FOR_EVER == kept.headers["Cache-Control"] and "gzip" == kept.headers["Content-Encoding"]
    plain = client.get("/static/appkeep.css")
    assert assets.LOOK_AGAIN == plain.headers["Cache-Control"] == client.get("/static/appkeep.css?v=0").headers["Cache-Control"]
    assert plain.data == gzip.decompress(kept.data)
    again = client.get(url[1], headers={**GZIP, "If-None-Match": kept.headers["ETag"]})
    assert (304, b"") == (again.status_code, again.data)


def test_a_part_of_a_file_is_never_compressed(sqlite_server: Flask) -> None:
    """Whoever asks for a range gets these very bytes."""
    part = browser(sqlite_server).get("/static/appkeep.css", headers={**GZIP, "Range": "bytes=0-2000"})
    assert 206 == part.status_code and 2001 == len(part.data) and "Content-Encoding" not in part.headers


def test_scripts_of_plugins_are_kept_and_compressed_too(sqlite_server: Flask) -> None:
    """They come by the same door."""
    with sqlite_server.test_request_context():
        from flask import url_for
        url = url_for("records.static", name="grid.js")
    assert "?v=" in url
    answer = browser(sqlite_server).get(url, headers=GZIP)
    assert (assets.FOR_EVER, "gzip") == (answer.headers["Cache-Control"], answer.headers["Content-Encoding"])
    assert 404 == browser(sqlite_server).get("/static/worksheets/../web/grid.py", headers=GZIP).status_code
