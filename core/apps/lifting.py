"""Lifting documents that an older version of their component wrote to the shape that today's knows, one version at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from core.archive.canonical import canonical, parse_canonical
from core.base.errors import PluginFailed
from core.extension.component import Component, Document, Kind
from core.extension.hook_calls import is_passing

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

UNKNOWN = 0
"""The version of documents from before it was kept."""
_validators: dict[int, Draft202012Validator] = {}
HiddenPartValue = tuple[str, str, Any, int]
"""(part, its key, its body, its place) of a part in the recycle bin."""


def validator(kind: Kind) -> Draft202012Validator:
    """Return what judges bodies by a kind's schema."""
    found = _validators.get(id(kind.schema))
    if found is None:
        from jsonschema import Draft202012Validator, FormatChecker  # loaded where something is judged

        found = _validators[id(kind.schema)] = Draft202012Validator(kind.schema, format_checker=FormatChecker())
    return found


def lifted(component: Component, document: Document, version: int) -> Document:
    """Return a document written under an older version of its component in today's shape.

    Raises:
        PluginFailed: an upgrade is missing, fails, or gives something else than that document.
    """
    if version == component.version:
        return document
    return _lifted_by_schema(component, document) if version == UNKNOWN else _lifted_from(component, document, version)


def lifted_parts(component: Component, document: Document, version: int, parts: Sequence[HiddenPartValue]) -> list[HiddenPartValue]:
    """Return the parts in a document's recycle bin in today's shape: each is lifted as if it still stood in the document."""
    if version == component.version or not parts:
        return list(parts)
    names = next(kind.parts for kind in component.kinds if kind.name == document.kind)
    body = dict(document.body)
    for part, _, value, _ in parts:
        body[names[part]] = [*body.get(names[part], ()), value]
    whole = lifted(component, Document(kind=document.kind, key=document.key, body=body, position=document.position), version)
    return [(part, key, _found(whole.body.get(names[part], ()), key, value), place) for part, key, value, place in parts]


def lifted_lines(component: Component, version: int, section: str, raw: bytes) -> bytes:
    """Return the lines of a data section that an older version of their component wrote in today's shape.

    Raises:
        PluginFailed: an upgrade fails, or gives what is no JSON.
    """
    if not any(old in component.data_upgrades for old in range(version, component.version)):
        return raw
    values = (parse_canonical(line) for line in raw.split(b"\n") if line)
    return b"".join(_line(component, lifted_value(component, version, section, value)) for value in values)


def lifted_value(component: Component, version: int, section: str, value: Any) -> Any:
    """Return one line's value of a data section in today's shape.

    Raises:
        PluginFailed: an upgrade fails.
    """
    for old in range(version, component.version):
        if (upgrade := component.data_upgrades.get(old)) is not None:
            value = _called(component, upgrade, f"a line of “{section}”", old, section, value)
    return value


def _line(component: Component, value: Any) -> bytes:
    try:
        return canonical(value) + b"\n"
    except ValueError as error:
        raise PluginFailed(f"The component “{component.name}” lifts a line to what is no JSON: {error}.") from error


def _found(listed: Iterable[Any], key: str, otherwise: Any) -> Any:
    return next((item for item in listed if item["key"] == key), otherwise)


def _lifted_from(component: Component, document: Document, version: int) -> Document:
    for old in range(version, component.version):
        document = _step(component, document, old)
    return document


def _step(component: Component, document: Document, old: int) -> Document:
    upgrade = component.upgrades.get(old)
    if upgrade is None:
        raise PluginFailed(f"The component “{component.name}” brings no upgrade from its version {old}.")
    given = _called(component, upgrade, document.address, old, document)
    if not isinstance(given, Document) or given.address != document.address:
        raise PluginFailed(f"The upgrade of the component “{component.name}” from its version {old} makes something else of "
                           f"{document.address}.")
    return given


def _called(component: Component, upgrade: Callable[..., Any], what: str, old: int, *arguments: Any) -> Any:
    """Return what an upgrade gives.

    Raises:
        PluginFailed: it fails; with *what* it was to lift.
    """
    try:
        return upgrade(*arguments)
    except Exception as error:
        # A stranger's code may raise anything; an outage or the end of a run's time is not its fault.
        if is_passing(error):
            raise
        raise PluginFailed(f"The component “{component.name}” cannot lift {what} from its version {old}: "
                           f"{type(error).__name__}: {error}") from error


def _lifted_by_schema(component: Component, document: Document) -> Document:
    """Lift a document of which nobody kept the version: as little as makes it follow the schema."""
    kind = next(kind for kind in component.kinds if kind.name == document.kind)
    for version in range(component.version, 0, -1):
        try:
            found = _lifted_from(component, document, version)
        except PluginFailed:
            continue
        if validator(kind).is_valid(found.body):
            return found
    return document
