"""The recycle bin of records, and several records at once."""

from __future__ import annotations

from tests.plugins.worksheets.web.making import PEOPLE, Desk


def test_several_are_deleted_and_brought_back(desk: Desk) -> None:
    """What is picked moves to the bin, is listed there, and comes back."""
    for n in range(3):
        desk.put(text=f"Thing {n}")

    desk.owner.post(desk.url("/delete"), data={"seq": ["1", "3", "1", "x"]})
    assert [desk.is_deleted(n) for n in (1, 2, 3)] == [True, False, True]

    page = desk.owner.get(desk.url("/bin")).get_data(as_text=True)
    assert "Thing 0" in page and "Thing 2" in page and "Thing 1" not in page

    desk.owner.post(desk.url("/bin/bring-back"), data={"seq": ["3"]})
    assert [desk.is_deleted(n) for n in (1, 2, 3)] == [True, False, False]


def test_deleting_for_good_names_what_points_there(desk: Desk) -> None:
    """First a question with the number of references, then the act."""
    desk.put(PEOPLE, name="Ada")
    desk.put(text="A", link=[1], free_link=[{"ref": f"worksheet/{PEOPLE}/record/1"}])
    desk.owner.post(desk.url("/record/1/delete", PEOPLE))

    question = desk.owner.post(desk.url("/bin/purge", PEOPLE), data={"seq": "1"}).get_data(as_text=True)
    assert "2 references" in question and "Ada" in question
    assert desk.value(1, "link") == [1]

    assert desk.owner.post(desk.url("/bin/purge", PEOPLE), data={"seq": "1", "sure": "yes"}).status_code == 302
    assert (desk.value(1, "link"), desk.value(1, "free_link")) == (None, None)


def test_an_empty_bin_says_so(desk: Desk) -> None:
    """There is nothing to do, and it says what would be here."""
    assert "The recycle bin is empty" in desk.owner.get(desk.url("/bin")).get_data(as_text=True)


def test_a_link_to_a_deleted_record_says_so(desk: Desk) -> None:
    """The pointer stays, and is shown for what it is."""
    desk.put(PEOPLE, name="Ada")
    desk.put(text="A", link=[1])
    desk.owner.post(desk.url("/record/1/delete", PEOPLE))

    assert "#1 (deleted)" in desk.owner.get(desk.url()).get_data(as_text=True)
