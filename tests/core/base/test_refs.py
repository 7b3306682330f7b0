"""References in bodies: each is found, with its place, whatever stands around it."""

from __future__ import annotations

import pytest

from core.base.refs import Pointer, files, pointers, split

DIGEST = "a" * 64


def test_every_pointer_is_found_in_document_order() -> None:
    """References, things of the organization and files, at any depth."""
    body = {"a": {"ref": "page/p_1"}, "b": [{"org": "department/d_1"}, {"x": [{"file": DIGEST, "name": "n"}]}],
            "c": {"ref": "worksheet/w_1/field/f_1"}}
    assert [
        Pointer("ref", "page/p_1", "/a"), Pointer("org", "department/d_1", "/b/0"), Pointer("file", DIGEST, "/b/1/x/0"),
        Pointer("ref", "worksheet/w_1/field/f_1", "/c"),
    ] == list(pointers(body))
    assert list(files(body)) == [DIGEST]


@pytest.mark.parametrize("body", [{"ref": 1}, {"ref": "page/p_1", "more": 1}, {"file": "short"}, {"file": DIGEST[:-1] + "A"}])
def test_what_only_looks_like_a_pointer_is_not_one(body: object) -> None:
    """A one-key object, or a file with a digest; nothing else."""
    assert [p for p in pointers(body) if p.tag != "x"] == []


def test_depth_costs_nothing() -> None:
    """The walk is iterative."""
    deep: object = {"ref": "page/p_1"}
    for _ in range(50_000):
        deep = [deep]
    assert len(list(pointers(deep))) == 1


def test_addresses_are_split() -> None:
    """Whole documents and their parts."""
    assert split("page/p_1") == ("page", "p_1", None, None)
    assert split("worksheet/w_1/field/f_1") == ("worksheet", "w_1", "field", "f_1")


@pytest.mark.parametrize("address", ["", "page", "page/", "Page/p_1", "page/p_1/x", "page/p_1/x/y/z", "../etc", "page/p 1"])
def test_another_form_is_refused(address: str) -> None:
    """With what an address looks like."""
    with pytest.raises(ValueError, match="address"):
        split(address)
