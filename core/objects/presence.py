"""What the store should have and has not, found without reading any of it: names and sizes are enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.base.errors import ObjectDamaged, ObjectLost, ObjectMissing
from core.objects.index import ends_in_store, in_packs, known_descriptors, object_name
from core.objects.packs import StoredDescriptor, pack_name
from core.objects.reader import Lost
from core.server import server
from core.storage.store import sizes
from core.tenancy.wall import tenant

FEW_NAMES = 50
"""Up to so many names are asked for one by one; for more, the store lists what it has, a thousand names a request."""


def losses_of_all() -> list[ObjectLost]:
    """Return an error for each object of the current organization that the store does not have, or not all of; not inside a transaction.

    Raises:
        StoreUnavailable: the store cannot be asked.
    """
    short = _short(ends_in_store())
    lying = in_packs(_packs_among(short))
    alone = known_descriptors(name.rpartition("/")[2].removesuffix(".zst") for name in short if "/objects/" in name)
    rows = [row for some in lying.values() for row in some]
    return _losses([*rows, *(row for row in alone.values() if not row.pack)], short)


def losses_among(descriptors: Iterable[StoredDescriptor]) -> list[ObjectLost]:
    """Return an error for each of these objects that the store does not have, or not all of.

    Raises:
        StoreUnavailable: the store cannot be asked.
    """
    wanted, ends = list(descriptors), dict[str, int]()
    for one in wanted:
        name = _name(one)
        ends[name] = max(ends.get(name, 0), one.place + one.size)
    return _losses(wanted, _short(ends))


def _short(ends: Mapping[str, int]) -> dict[str, int | None]:
    """Return those names of which the store has fewer bytes than are needed, each with how many; None for none at all."""
    server().store.look()
    doubtful = dict(ends)
    if len(ends) > FEW_NAMES:
        for folder in {name.rpartition("/")[0] for name in ends if "/packs/" in name} | {
                name.rpartition("/")[0].rpartition("/")[0] for name in ends if "/objects/" in name}:
            for name, size in sizes(server().store, folder):
                if size >= doubtful.get(name, size + 1):
                    del doubtful[name]
    # Whatever a listing left out is asked for by its name: it may have come, or gone with what needed it, while the store was listing.
    found = {name: server().store.size(name) for name in doubtful}
    return {name: size for name, size in found.items() if size is None or size < doubtful[name]}


def _losses(wanted: Iterable[StoredDescriptor], short: Mapping[str, int | None]) -> list[ObjectLost]:
    found: list[ObjectLost] = []
    for one in wanted:
        name = _name(one)
        if name not in short or one.place + one.size <= (short[name] or 0):
            continue
        gone = short[name] is None
        error = ObjectMissing(f"The store has no object {one.content}.") if gone else ObjectDamaged(
            f"The store has only a part of the object {one.content}.")
        error.lost = Lost(tenant(), one, whole_pack=gone)
        found.append(error)
    return found


def _name(one: StoredDescriptor) -> str:
    return pack_name(tenant(), one.pack) if one.pack else object_name(tenant(), one.content)


def _packs_among(names: Iterable[str]) -> list[str]:
    return [name.rpartition("/")[2].removesuffix(".zst") for name in names if "/packs/" in name]
