"""Plugins: the built-in ones by dotted name, others by entry point, all through the same door."""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

import pluggy

from core.base.errors import InvalidInput, NotFound, PluginFailed
from core.extension import hook_calls, hookspecs
from core.extension.channel import Channel
from core.extension.component import Component, Kind
from core.extension.declared import NAME, check_declared
from core.extension.field_input import FieldInput
from core.extension.field_type import FieldType, absent_field_type
from core.extension.formula_function import FormulaFunction
from core.extension.hook_calls import HookCaller
from core.extension.importer import Importer
from core.extension.run_kind import RunKind
from core.extension.settable import BlockType, StepType
from core.extension.store_kind import StoreKind
from core.extension.time_bound import bounded
from core.extension.waiting import Waiting

DEFAULT_PLUGINS: tuple[str, ...] = (
    "tenants.plugin",
    "tenants.plugin_pages",
    "plugins.settings.plugin",
    "plugins.worksheets.plugin",
    "plugins.pages.plugin",
    "plugins.workflows.plugin",
    "plugins.roles.plugin",
    "plugins.portal.plugin",
    "plugins.baserow.plugin",
    "plugins.tabular.plugin",
    "plugins.sample.plugin",
)
ENTRY_POINTS = "appkeep.plugins"


@dataclass(frozen=True, slots=True)
class Absent:
    """A component that was at work here and is not here (any more): its documents are kept as they are."""

    name: str
    title: str
    version: int
    plugin: str


BROUGHT = ("components", "kinds", "field_inputs", "field_types", "formula_functions", "importers", "run_kinds", "stores", "block_types",
           "step_types", "channels")
"""What of a registry the plugins bring, asked for once."""
OWN_CHANNELS = ("inbox", "mail", "webhook", "address")
LETTERS = re.compile(r"[a-z]{1,3}")
NO_THINGS = ("register_commands", "register_migrations", "register_blueprint")
"""Hooks that are called when what they bring is used."""
LEFT_OUT: dict[str, str] = {}
"""Plugins that failed in this process after they were loaded, each with the reason: they are not loaded again."""
ABSENT: dict[str, Absent] = {}
"""The components that were at work here and are not now, as the process found at its start; a worker's job inherits it."""
ABSENT_DATA: dict[str, Component] = {}
"""What reads the tables of absent components, and which of them only their own plugin can read, with its name; as `ABSENT`."""
UNREADABLE: dict[str, str] = {}
T = TypeVar("T", Component, FieldInput, FieldType, FormulaFunction, Importer, RunKind, StoreKind, BlockType, StepType, Channel)
log = logging.getLogger(__name__)


@dataclass
class Registry:
    """What the loaded plugins gave, by name. A stranger's broken plugin is listed in `broken` and left out."""

    manager: HookCaller
    broken: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    _bringers: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def absent(self) -> dict[str, Absent]:
        """See `ABSENT`."""
        return ABSENT

    @property
    def absent_data(self) -> dict[str, Component]:
        """See `ABSENT_DATA`."""
        return ABSENT_DATA

    @property
    def unreadable(self) -> dict[str, str]:
        """See `ABSENT_DATA`."""
        return UNREADABLE

    @property
    def with_data(self) -> dict[str, Component]:
        """What gives the data of an app: the components here, and what stands for absent ones."""
        return dict(sorted({**ABSENT_DATA, **self.components}.items()))

    def is_stranger(self, name: str) -> bool:
        """Say whether a plugin is none of Appkeep's own."""
        return name in self.manager.strangers

    def plugin_of(self, component: str) -> str:
        """Return the name of the plugin that brings a component."""
        return next((one.plugin_name for one in self.hook.register_component.get_hookimpls()
                     if getattr(one.function(), "name", None) == component), "")

    def call(self, hook: str, name: str, function: Callable[[], Any]) -> Any:
        """Return what code of a thing that plugins bring gives; None where the thing is a stranger's and it failed or took too long.

        Args:
            hook: That by which the thing is registered, as "register_channel".
            name: The thing's.
            function: Calls the code.
        """
        if (hook, name) not in self._bringers:
            self._bringers |= {(hook, thing.name): one.plugin_name for one in getattr(self.hook, hook).get_hookimpls()
                               for thing in _flat([self.manager.call_one(hook, one) or ()])}
        plugin = self._bringers.get((hook, name), "")
        if not self.is_stranger(plugin):
            return function()
        if plugin in self.manager.off:
            return None
        return self.manager.call_stranger(plugin, f"{hook.removeprefix('register_')} {name}", function, refuses=True)

    def _own(self, hook: str) -> set[str]:
        """Return the names of what Appkeep's own plugins bring by a hook."""
        others = {*self.manager.strangers, self.manager.trying}
        ours = (one.function() for one in getattr(self.hook, hook).get_hookimpls() if one.plugin_name not in others)
        return {thing.name for thing in _flat(ours)}

    def of_strangers(self, hook: str) -> set[str]:
        """Return the names of what strangers' plugins bring by a hook."""
        theirs = (one for one in getattr(self.hook, hook).get_hookimpls() if self.is_stranger(one.plugin_name))
        found = [self.manager.call_one(hook, one) for one in theirs]
        return {thing.name for thing in _flat(one for one in found if one is not None)}

    def reads(self, component: str, version: int) -> bool:
        """Say whether this server understands what a version of a component wrote; what it does not is kept word for word."""
        found = self.components.get(component)
        return found is not None and version <= found.version

    def needs_newer(self, component: str, version: int) -> bool:
        """Say whether a version of one of Appkeep's own components is newer than this server."""
        found = self.components.get(component)
        return found is not None and version > found.version and not self.is_stranger(self.plugin_of(component))

    def migrations(self) -> list[tuple[str, str]]:
        """Return (plugin, folder of Alembic versions) of the plugins that have tables."""
        found = []
        for implementation in self.hook.register_migrations.get_hookimpls():
            try:
                folder = bounded(hook_calls.ELSEWHERE_S, implementation.function)
                folder = folder and str(folder)
            except (Exception, SystemExit) as error:
                if not self.is_stranger(implementation.plugin_name):
                    raise
                self.leave_out(implementation.plugin_name, f"it does not say where its migrations are: {error}")
                continue
            if folder and self.is_stranger(implementation.plugin_name) and not Path(folder).is_dir():
                self.leave_out(implementation.plugin_name, f"there is no folder {folder} with its migrations: package it")
            elif folder:
                found.append((implementation.plugin_name, str(folder)))
        return found

    def wake(self) -> None:
        """Import the plugins that wait; see `load_plugins`."""
        for plugin in self.manager.get_plugins():
            if isinstance(plugin, Waiting):
                plugin.wake()

    def leave_out(self, name: str, reason: str) -> None:
        """Leave a stranger's plugin out, here and wherever this process loads plugins again."""
        log.warning("The plugin %s was left out: %s", name, reason)
        LEFT_OUT[name] = self.broken[name] = reason
        self.versions.pop(name, None)
        self.manager.strangers.discard(name)
        if self.manager.has_plugin(name):
            self.manager.unregister(name=name)
        self._forget()

    @property
    def hook(self) -> pluggy.HookRelay:
        """The hooks, to be called."""
        return self.manager.hook

    @cached_property
    def components(self) -> dict[str, Component]:
        """Components by name, in the order of names: the order of everything that lists them."""
        found = [component for component in self.hook.register_component() if component is not None]
        return _by_name(found, "component")

    @property
    def ranked(self) -> list[Component]:
        """The components in the order in which people see them."""
        return sorted(self.components.values(), key=lambda one: (one.rank, one.title))

    @cached_property
    def kinds(self) -> dict[str, tuple[Component, Kind]]:
        """Kind name -> its component and itself."""
        kinds: dict[str, tuple[Component, Kind]] = {}
        for component in self.components.values():
            _check_component(component)
            for kind in component.kinds:
                _check_kind(component, kind, kinds)
                if kind.name in kinds:
                    raise PluginFailed(f"Two components name a kind “{kind.name}”: "
                                       f"{kinds[kind.name][0].name} and {component.name}.")
                kinds[kind.name] = (component, kind)
        return kinds

    @cached_property
    def field_types(self) -> dict[str, FieldType]:
        """Field types by name."""
        return _by_name(_flat(self.hook.register_field_type()), "field type")

    @cached_property
    def field_inputs(self) -> dict[str, FieldInput]:
        """Controls of types of fields that plugins bring, by the type's name."""
        found = _by_name(_flat(self.hook.register_field_input()), "control of the field type")
        if found and (taken := sorted(found.keys() & self._own("register_field_type"))):
            raise PluginFailed(f"The field type “{taken[0]}” is one of Appkeep’s own, which have their controls.")
        return found

    @cached_property
    def formula_functions(self) -> dict[str, FormulaFunction]:
        """Functions of formulas, by name; Appkeep's own are listed so that no plugin brings another one of that name."""
        return _by_name(_flat(self.hook.register_formula_function()), "function of formulas")

    @cached_property
    def importers(self) -> dict[str, Importer]:
        """Importers by name."""
        return _by_name(_flat(self.hook.register_importer()), "importer")

    @cached_property
    def run_kinds(self) -> dict[str, RunKind]:
        """Kinds of runs by name."""
        return _by_name(_flat(self.hook.register_run_kind()), "kind of run")

    @cached_property
    def stores(self) -> dict[str, StoreKind]:
        """Kinds of stores that plugins bring, by scheme."""
        return _by_name(_flat(self.hook.register_store()), "kind of store")

    @cached_property
    def block_types(self) -> dict[str, BlockType]:
        """Types of blocks that plugins bring, by name."""
        return _by_name(_flat(self.hook.register_block_type()), "type of block")

    @cached_property
    def step_types(self) -> dict[str, StepType]:
        """Types of steps that plugins bring, by name."""
        return _by_name(_flat(self.hook.register_step_type()), "type of step")

    @cached_property
    def channels(self) -> dict[str, Channel]:
        """Ways of telling people that plugins bring, by name."""
        found = _by_name(_flat(self.hook.register_channel()), "channel")
        if taken := sorted(found.keys() & set(OWN_CHANNELS)):
            raise PluginFailed(f"The channel “{taken[0]}” needs a name that is none of {', '.join(OWN_CHANNELS)}.")
        return found

    @cached_property
    def offered_importers(self) -> list[Importer]:
        """The importers whose files people choose, in order of their titles."""
        return sorted((one for one in self.importers.values() if one.suffixes), key=lambda one: one.title)

    def try_out(self) -> None:
        """Ask the plugins for all that they bring, and keep none of it: raises what using it would raise."""
        try:
            for name in BROUGHT:
                getattr(self, name)
        finally:
            self._forget()

    def _forget(self) -> None:
        """Have what plugins bring asked for again."""
        for name in (*BROUGHT, "offered_importers"):
            vars(self).pop(name, None)
        self._bringers.clear()

    def kind(self, name: str) -> tuple[Component, Kind]:
        """Return a kind and the component it belongs to.

        Raises:
            NotFound: no plugin brings it.
        """
        try:
            return self.kinds[name]
        except KeyError:
            raise NotFound(f"Unknown kind of document “{name[:60]}”. "
                           f"Use one of: {', '.join(sorted(self.kinds))}.") from None

    def run_kind(self, name: str) -> RunKind:
        """Return a kind of run.

        Raises:
            PluginFailed: no plugin brings it (any more).
        """
        try:
            return self.run_kinds[name]
        except KeyError:
            raise PluginFailed(f"Nothing here does runs of the kind “{name[:40]}”. Install the plugin that brings it.") from None

    def field_type(self, name: object) -> FieldType:
        """Return a field type; for one that no plugin brings (any more), what keeps its values as they are.

        Raises:
            InvalidInput: *name* cannot be that of a field type.
        """
        found = self.field_types.get(name) if isinstance(name, str) else None
        if found is not None:
            return found
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise InvalidInput(f"Unknown field type “{str(name)[:60]}”.")
        return absent_field_type(name)

    def check_field_type(self, name: object) -> None:
        """Refuse a field type that no plugin here brings.

        Raises:
            InvalidInput: with its name, and the way out.
        """
        if not isinstance(name, str) or name not in self.field_types:
            raise InvalidInput(f"Unknown field type “{str(name)[:60]}”: no plugin on this server brings it.")


def load_plugins(names: tuple[str, ...] = DEFAULT_PLUGINS, *, own: Iterable[str] = (), strangers: bool = True,
                 waiting: bool = False) -> Registry:
    """Return what the core's *own* modules of hooks, the built-in plugins, and those installed beside Appkeep bring.

    A built-in plugin that fails to load is an error; a stranger's is reported and left out. Where the first two are *waiting*,
    their modules are imported when they are called; their tables are not known before.
    """
    manager = HookCaller(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    registry = Registry(manager)
    for name in (*own, *names):
        manager.register(Waiting(name) if waiting else importlib.import_module(name), name)
    manager.check_pending()
    if strangers:
        for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
            _load_stranger(registry, entry)
    return registry


def _load_stranger(registry: Registry, entry) -> None:  # type: ignore[no-untyped-def]  # its class differs by version
    manager = registry.manager
    if entry.name in LEFT_OUT:
        registry.broken[entry.name] = LEFT_OUT[entry.name]
        return
    if manager.has_plugin(entry.name):  # the plugin that has the name stays
        twin = f"{entry.name} of {entry.dist.name if entry.dist else 'another package'}"
        registry.broken[twin] = f"another plugin is called “{entry.name}”: give the entry point a name of its own."
        log.warning("The plugin %s was left out: %s", twin, registry.broken[twin])
        return
    try:
        module = bounded(hook_calls.ELSEWHERE_S, entry.load)
        if (other := manager.get_name(module)) is not None:
            raise PluginFailed(f"Its entry point leads to the module of the plugin “{other}”.")
        manager.register(module, entry.name)
        manager.check_pending()
        manager.trying = entry.name
        _check_declared(manager, entry.name)
        registry.try_out()
        _refuse_wrappers(manager, entry.name)
        registry.versions[entry.name] = entry.dist.version if entry.dist else "unknown"
        manager.strangers.add(entry.name)
    except (Exception, SystemExit) as error:
        # A stranger's code may raise anything; what of it was registered before that goes too.
        if manager.has_plugin(entry.name):
            manager.unregister(name=entry.name)
        log.warning("The plugin %s was left out: %s", entry.name, error)
        registry.broken[entry.name] = f"{type(error).__name__}: {error}"
    finally:
        manager.trying = ""


def _check_component(component: Component) -> None:
    """Refuse a component that could not be kept: its name or version is none, or it cannot lift what its earlier versions wrote.

    Raises:
        PluginFailed: with what is wrong.
    """
    where = f"The component “{getattr(component, 'name', '')}”"
    if not isinstance(component, Component) or not isinstance(component.name, str) or not NAME.fullmatch(component.name):
        raise PluginFailed(f"{where} needs a name of small letters, digits and _, and to be a Component.")
    if not isinstance(component.title, str) or not component.title:
        raise PluginFailed(f"{where} needs a title.")
    if type(component.version) is not int or component.version < 1:
        raise PluginFailed(f"{where} needs a version, a whole number from 1.")
    lacking = [old for old in range(1, component.version) if component.kinds and not callable(component.upgrades.get(old))]
    if lacking:
        raise PluginFailed(f"{where} is of version {component.version} and brings no upgrade from version {lacking[0]}.")


def _check_kind(component: Component, kind: Kind, known: Mapping[str, tuple[Component, Kind]]) -> None:
    """Refuse a kind whose documents could not be kept: its name or its letter is none, or its letter is taken.

    Raises:
        PluginFailed: with what is wrong.
    """
    where = f"The kind “{kind.name}” of {component.name}"
    if not isinstance(kind.name, str) or not NAME.fullmatch(kind.name):
        raise PluginFailed(f"{where} needs a name of small letters, digits and _.")
    if not kind.single and not LETTERS.fullmatch(kind.letter):
        raise PluginFailed(f"{where} needs a letter that its keys begin with, or is single.")
    taken = next((other for _, other in known.values() if kind.letter and other.letter == kind.letter), None)
    if taken is not None:
        raise PluginFailed(f"{where} has the letter “{kind.letter}”, which “{taken.name}” has.")


def _check_declared(manager: HookCaller, name: str) -> None:
    """Refuse what a stranger's plugin brings and could not be used; to check all of Appkeep's own at each start would take too long."""
    for hook in (hook for hook in vars(manager.hook) if hook.startswith("register_") and hook not in NO_THINGS):
        for one in getattr(manager.hook, hook).get_hookimpls():
            if one.plugin_name == name:
                for thing in _flat([given] if (given := manager.call_one(hook, one)) is not None else []):
                    check_declared(thing)


def _refuse_wrappers(manager: HookCaller, name: str) -> None:
    """Refuse a plugin that wraps hooks: it would stand around what other plugins do."""
    for caller in manager.get_hookcallers(manager.get_plugin(name)) or ():
        for one in caller.get_hookimpls():
            if one.plugin_name == name and (one.wrapper or one.hookwrapper):
                raise PluginFailed(f"{caller.name} is implemented as a wrapper, which is not supported.")


def _flat(given: Iterable[Any]) -> list[Any]:
    """Return what hooks gave as one list; each gave one thing or several."""
    return [thing for one in given for thing in (one if isinstance(one, Iterable) else (one,))]


def _by_name(things: list[T], what: str) -> dict[str, T]:
    named: dict[str, T] = {}
    for thing in things:
        if thing.name in named:
            raise PluginFailed(f"Two plugins bring a {what} called “{thing.name}”.")
        named[thing.name] = thing
    return dict(sorted(named.items()))
