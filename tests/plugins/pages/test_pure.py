"""What pages are made with, by itself: addresses, templates and their tokens, the tree of blocks, styles, words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import Conflict, InvalidInput, NotFound, canonical
from plugins.pages import charts, tree
from plugins.pages.addresses import matched, origin, safe_url
from plugins.pages.rich_text import sanitized, shown
from plugins.pages.style import styled
from plugins.pages.text_templates import filled, fixed
from plugins.pages.tokens import Tokens

HOSTILE = ("javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,<script>", "vbscript:x",
           "//evil.example", "https://evil.example\\@good.example", "https://", "http://[::1", "file:///etc/passwd", "https://a b.example/",
           "https://x" + "y" * 3000, "\x00https://a.example", "", "ftp://a.example")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_link_leads_to_what_is_not_the_web(text: str) -> None:
    """No scripts, no files, no addresses that browsers read in another way."""
    assert safe_url(text) is None


@pytest.mark.parametrize(("text", "url"), [
    ("https://a.example/b?c#d", "https://a.example/b?c#d"), ("a.example/b", "https://a.example/b"), ("mailto:a@b.example", "mailto:a@b.example"),
    ("tel:+4930123", "tel:+4930123"), (" http://a.example ", "http://a.example")])
def test_links_of_the_web_are_kept(text: str, url: str) -> None:
    """With https where no scheme is given."""
    assert url == safe_url(text)


@pytest.mark.parametrize(("url", "found"), [
    ("https://a.example:8443/b", "https://a.example:8443"), ("https://u:p@a.example/", "https://a.example"), ("https://a.example;x/", None),
    ("https://*.example/", None), ("https://a.example' 'unsafe-inline'", None), ("mailto:a@b", None), ("https://a.example:99999", None)])
def test_an_origin_cannot_break_out_of_the_content_policy(url: str, found: str | None) -> None:
    """What stands in the policy is scheme, host and port, or nothing."""
    assert found == origin(url)


def test_paths_of_pages_give_their_parameters() -> None:
    """Names begin with a colon; another length or another word is another page."""
    assert {"id": "7 a"} == matched("/company/:id", "/company/7%20a")
    assert matched("/company/:id", "/company") is None and matched("/company/:id", "/people/7") is None


def test_a_template_is_filled_and_braces_stay_braces() -> None:
    """A hole that nothing fills is left out."""
    template = {"template": "{{{0}}} {1} {7}", "uses": [{"user": "name"}, {"user": "email"}]}
    assert "{name} email " == filled(template, lambda use: use["user"])


@given(st.text(max_size=60))
def test_fixed_text_comes_back_as_it_was(text: str) -> None:
    """Whatever braces it has."""
    assert text == filled(fixed(text), lambda use: "!")


@given(st.lists(st.sampled_from(["a", "{{", "}}", "{0}", "{1}", "{2}", " "]), max_size=12))
def test_what_an_editor_shows_is_read_back_the_same(parts: list[str]) -> None:
    """A template, written with tokens and read again, fills to the same text."""
    tokens = Tokens()
    tokens.add("user.name", {"user": "name"})
    tokens.add("record.Stage", {"parameter": "stage"})
    template = {"template": "".join(parts), "uses": [{"user": "name"}, {"parameter": "stage"}, {"result": "record.id"}]}
    again, unknown = tokens.read(tokens.written(template), template)
    assert [] == unknown
    assert filled(template, lambda use: canonical(use).decode()) == filled(again, lambda use: canonical(use).decode())


def test_a_token_that_nobody_knows_is_told() -> None:
    """It is not dropped in silence."""
    assert ["user.shoe"] == Tokens().read("Hi {user.shoe}")[1]


def block(key: str, type_: str = "text", *inside: dict[str, object], **more: object) -> dict[str, object]:
    """Return a block; its key is filled up."""
    return {"key": f"b_{key.ljust(10, '1')}", "type": type_, **({"blocks": list(inside)} if inside else {}), **more}


def keys(blocks: list[dict[str, object]]) -> list[object]:
    """Return the keys of blocks, those inside another as a list behind it."""
    found: list[object] = []
    for one in blocks:
        found.append(str(one["key"])[2:].rstrip("1"))
        if "blocks" in one:
            found.append(keys(one["blocks"]))  # type: ignore[arg-type]
    return found


TREE = [block("A"), block("B", "container", block("C"), block("D")), block("E")]


@pytest.mark.parametrize(("act", "key", "after"), [
    ("up", "E", ["A", "E", "B", ["C", "D"]]), ("down", "A", ["B", ["C", "D"], "A", "E"]), ("up", "A", ["A", "B", ["C", "D"], "E"]),
    ("in", "E", ["A", "B", ["C", "D", "E"]]), ("out", "D", ["A", "B", ["C"], "D", "E"]), ("remove", "B", ["A", "E"]),
    ("remove", "C", ["A", "B", ["D"], "E"]), ("keep", "A", ["A", "B", ["C", "D"], "E"])])
def test_blocks_move(act: str, key: str, after: list[object]) -> None:
    """Among their siblings, into the one before, out of the one around them, away; what was given stays as it was."""
    before = canonical(TREE)
    assert after == keys(tree.done(TREE, act, f"b_{key.ljust(10, '1')}"))
    assert before == canonical(TREE)


def test_blocks_in_columns_move_within_theirs() -> None:
    """One step is one place among those of the same column."""
    sides = [block("Hold", "columns", block("A"), block("B", column=1), block("C"))]
    assert ["Hold", ["C", "B", "A"]] == keys(tree.done(sides, "up", "b_C111111111"))


def test_a_copy_shares_no_key() -> None:
    """Its forms speak of their own fields."""
    form = block("Form", "form", block("Say", "input"), events=[
        {"on": "submit", "do": "notify", "message": {"template": "{0}", "uses": [{"input": "b_Say1111111"}]}}])
    first, second = tree.done([form], "copy", "b_Form111111")
    assert first == form
    field = second["blocks"][0]["key"]
    assert field not in canonical(first).decode() and field == second["events"][0]["message"]["uses"][0]["input"]


@pytest.mark.parametrize(("act", "key", "error"), [
    ("up", "Z", NotFound), ("fly", "A", InvalidInput), ("in", "A", Conflict), ("in", "B", Conflict), ("out", "A", Conflict)])
def test_what_cannot_be_done_is_refused(act: str, key: str, error: type[Exception]) -> None:
    """With what is in the way."""
    with pytest.raises(error):
        tree.done(TREE, act, f"b_{key.ljust(10, '1')}")


def test_blocks_do_not_stand_too_deep() -> None:
    """Adding, and moving in, stop at the bound."""
    deep = block("A", "container")
    for _ in range(tree.MAX_DEPTH - 1):
        deep = block("A", "container", deep)
    inner = deep
    while "blocks" in inner:
        inner = inner["blocks"][0]  # type: ignore[index]
    inner["key"] = "b_Deep111111"
    with pytest.raises(Conflict):
        tree.done([deep], "add", "b_Deep111111", block("B"))
    with pytest.raises(Conflict):
        tree.done([block("H", "container"), deep], "in", str(deep["key"]))


@pytest.mark.parametrize("style", [
    {"padding_top": "1px;position:fixed"}, {"background": "color", "background_color": "red;}"}, {"padding_left": 10 ** 9},
    {"margin_top": True}, {"width": "evil\"><script>"}, {"background": "color", "background_color": "url(https://evil.example)"}])
def test_no_style_says_more_than_it_may(style: dict[str, object]) -> None:
    """What is not a number within bounds, or a plain colour, is left out."""
    assert ("", "") == styled(style)


@pytest.mark.parametrize("html", [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<a href='javascript:alert(1)'>a</a>", "<iframe src='https://a.example'></iframe>",
    "<form action='https://evil.example'><input name=a></form>", "<style>*{display:none}</style>", "<svg><script>alert(1)</script></svg>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>", "<p style='position:fixed'>a</p>", "<base href='//evil.example'>",
    "<object data=x></object>", "<meta http-equiv=refresh content='0;url=//evil.example'>"])
def test_no_html_does_anything(html: str) -> None:
    """No scripts, handlers, frames, forms, styles."""
    found = sanitized(html).lower()
    for word in ("<script", "onerror", "javascript:", "<iframe", "<form", "<style", "style=", "<base", "<object", "<meta", "<svg", "<input"):
        assert word not in found


def test_markdown_lets_no_html_through() -> None:
    """Formatting works, tags are text."""
    found = shown("**a** <b>c</b> [x](javascript:alert(1)) [y](https://a.example)", "markdown")
    assert "<strong>a</strong>" in found and "<b>" not in found and 'href="javascript' not in found and 'href="https://a.example"' in found


def test_plain_text_is_plain() -> None:
    """Lines and paragraphs stay, nothing else means anything."""
    assert "<p>a &lt;b&gt;<br>c</p><p>**d**</p>" == shown("a <b>\nc\n\n**d**", "plain")


def test_charts_count_and_add_up() -> None:
    """By group; what has none is under a name of its own, what is no number is left out of sums."""
    rows = [("New", "2", 1), ("Won", "3.5", 1), ("New", None, 1), ("", "1", 1), ("Won", "x", 1)]
    told = lambda function: {label: str(value) for label, value in charts.grouped(rows, function)}  # noqa: E731
    assert {"New": "2", "Won": "2", charts.EMPTY: "1"} == told("count")
    assert {"New": "2", "Won": "3.5", charts.EMPTY: "1"} == told("sum")
    rows = [("New", "2", 3), ("New", "5", 1), ("Won", "-1", 2)]
    assert [{"New": n, "Won": w} for n, w in (("4", "2"), ("11", "-2"), ("2.75", "-1"), ("2", "-1"), ("5", "-1"))] == [
        told(name) for name in ("count", "sum", "average", "min", "max")]


def test_many_groups_become_few() -> None:
    """The smallest are taken together, and nothing is lost."""
    groups = charts.grouped(((f"g{n:03}", n, 1) for n in range(100)), "sum")
    assert charts.MAX_GROUPS == len(groups) and charts.OTHERS == groups[-1][0]
    assert sum(range(100)) == sum(int(value) for _, value in groups)


def test_a_number_in_a_chart_reads_as_its_field_says() -> None:
    """With what stands before and after it, separators, and at least its decimals."""
    told = {charts.shown(Decimal("1234.5")), charts.shown(Decimal("1234.5"), ("", " EUR", 2)), charts.shown(Decimal("-3"), ("$", "", 0)),
            charts.shown(Decimal("100")), charts.shown(Decimal("1.23456"), ("", "", 3))}
    assert {"1,234.5", "1,234.50 EUR", "−$3", "100", "1.235"} == told


def test_the_groups_of_a_choice_stand_in_its_order_and_have_its_colours() -> None:
    """What is no choice any more comes after them, what is empty last."""
    rows = [(label, None, 1) for label in ("Won", "", "Lost", "Gone", "New")]
    made = charts.chart(rows, {"type": "bar"}, None, charts.BARE, {"New": 214, "Won": 145, "Lost": None})
    assert [("New", 214), ("Won", 145), ("Lost", None), ("Gone", None), (charts.EMPTY, None)] == [(b.label, b.hue) for b in made["bars"]]
    slices = charts.chart(rows, {"type": "pie"}, None, charts.BARE, {"Won": 145})["slices"]
    assert [145, None, None, None, None] == [one.bar.hue for one in slices]


@pytest.mark.parametrize(("values", "told"), [
    ((), ["0.0", "0.5", "1.0"]), ((3,), ["0", "1", "2", "3"]), ((7, 2), ["0", "2", "4", "6", "8"]), ((-3, 5), ["−4", "−2", "0", "2", "4", "6"]),
    ((1234567,), ["0", "500,000", "1,000,000", "1,500,000"]), (("0.03",), ["0.00", "0.01", "0.02", "0.03"]), ((-1,), ["−1.0", "−0.5", "0.0"]),
    (("1e29",), None), (("1e-9",), None), (("0.001", "-90000"), None)])
def test_the_numbers_at_the_side_of_a_chart_are_round_ones(values: tuple[Any, ...], told: list[str] | None) -> None:
    """From zero, or below it, to above the highest value; each value stands between its neighbours."""
    scale = charts.Scale.of(map(Decimal, values))
    texts = [text for _, text in scale.ticks]
    assert 2 <= len(texts) <= 9
    assert scale.low <= min(0, *map(Decimal, values), 0) and max(0, *map(Decimal, values), 0) <= scale.high
    assert all(charts.TOP <= scale.y(Decimal(value)) <= charts.BASE for value in values)
    assert told in (None, texts)


def test_the_groups_of_a_chart_keep_their_order_and_read_as_people_read_them() -> None:
    """Days stand one after another, not by the names of their months."""
    names = {"2026-01-09": "9 Jan 2026", "2026-02-01": "1 Feb 2026"}
    made = charts.chart([("2026-02-01", None, 1), ("2026-01-09", None, 1)], {"type": "bar"}, names)
    assert ["9 Jan 2026", "1 Feb 2026"] == [bar.label for bar in made["bars"]]
