"""Programs that write at the same moment: nothing is lost, nothing is done twice, nobody waits for ever."""

from __future__ import annotations

from flask import Flask

from tests.plugins.worksheets.http_api.conftest import Records, named, records_of
from tests.plugins.worksheets.web.making import key_of, make_desk
from tests.writing import at_once, each

TIMES = 15


def two(server: Flask) -> tuple[str, Records, Records]:
    """Return an organization and two programs of its owner."""
    desk = make_desk(server)
    return desk.organization_id, records_of(desk), records_of(desk)


def test_what_is_sent_twice_at_once_is_done_once(server: Flask) -> None:
    """With the same key both are answered the same record, or batch; as often as it is tried."""
    organization, one, other = two(server)
    told: list[tuple[int, str]] = []

    def sending(records: Records):  # type: ignore[no-untyped-def]  # a function of a number
        def send(n: int) -> None:
            headers = {"Idempotency-Key": f"key-{n}"}
            made = records.program.ask("POST", records.url, json={"values": named({"text": f"{n}"})}, headers=headers)
            many = records.program.ask("POST", f"{records.url}/batch", json={"create": [{"values": named({"text": f"b{n}"})}] * 3},
                                       headers={"Idempotency-Key": f"batch-{n}"})
            told.append((n, f"{made.get_json()} {many.get_json()} {made.status_code}"))
        return send

    assert [] == at_once(server, organization, each(TIMES, sending(one)), each(TIMES, sending(other)))
    assert 4 * TIMES == len(one.walk(limit=200))
    assert (2 * TIMES, TIMES) == (len(told), len(set(told)))


def test_a_batch_and_a_change_keep_each_others_fields(server: Flask) -> None:
    """One writes a field of many records while the other writes another field of each; both batches name the records in another order."""
    organization, one, other = two(server)
    one.batch(create=[{"values": named({"text": "A"})} for _ in range(10)])
    refused: list[int] = []

    def writing(records: Records, word: str, *, back: bool):  # type: ignore[no-untyped-def]  # a function of a number
        def write(n: int) -> None:
            items = [{"number": number, "values": named({word: n})} for number in range(1, 11)]
            answer = records.program.ask("POST", f"{records.url}/batch", json={"update": items[::-1] if back else items})
            refused.extend([] if answer.status_code == 200 else [answer.status_code])
        return write

    assert [] == at_once(server, organization, each(TIMES, writing(one, "number", back=False)), each(TIMES, writing(other, "percent", back=True)))
    assert [] == refused
    held = [one.get(number)["values"] for number in range(1, 11)]
    assert [(TIMES - 1, TIMES - 1)] * 10 == [(values[key_of("f", "number")], values[key_of("f", "percent")]) for values in held]


def test_of_two_who_mean_the_same_state_one_wins(server: Flask) -> None:
    """The other is told that it was changed: a counter that both count up never loses a count."""
    organization, one, other = two(server)
    one.make(text="A", number=0)

    def counting(records: Records):  # type: ignore[no-untyped-def]  # a function of a number
        def count(_: int) -> None:
            while True:
                seen = records.get(1)
                values = named({"number": seen["values"].get(key_of("f", "number"), 0) + 1})
                answer = records.program.ask("PATCH", f"{records.url}/1", json={"values": values}, headers={"If-Match": f'"{seen["etag"]}"'})
                if answer.status_code == 200:
                    return
                assert answer.status_code == 412, answer.get_data(as_text=True)
        return count

    assert [] == at_once(server, organization, each(TIMES, counting(one)), each(TIMES, counting(other)))
    assert 2 * TIMES == one.get(1)["values"][key_of("f", "number")]


def test_a_unique_value_is_given_once(server: Flask) -> None:
    """Two batches that want the same values in another order: one gets them, the other is refused whole, neither hangs."""
    organization, one, other = two(server)
    statuses: list[int] = []

    def wanting(records: Records, *, back: bool):  # type: ignore[no-untyped-def]  # a function of a number
        def want(n: int) -> None:
            items = [{"values": named({"text": "A", "email": f"{n}-{m}@example.org"})} for m in range(5)]
            statuses.append(records.program.ask("POST", f"{records.url}/batch", json={"create": items[::-1] if back else items}).status_code)
        return want

    assert [] == at_once(server, organization, each(TIMES, wanting(one, back=False)), each(TIMES, wanting(other, back=True)))
    assert [200] * TIMES + [422] * TIMES == sorted(statuses)
    assert 5 * TIMES == len(one.walk(limit=200))
