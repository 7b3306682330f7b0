"""Built-in plugins that wait: what a plugin's file says are its hooks is registered, and its module imported when one of them is called.

For commands that only look something up: to import every plugin takes longer than most of them take to answer.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.extension.hookspecs import hookimpl


class Waiting:
    """A module of hooks that was not imported yet; it has each of its hooks as an attribute."""

    def __init__(self, module: str) -> None:
        found = find_spec(module)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(module)
        for one in ast.parse(Path(found.origin).read_text()).body:
            options = _options(one) if isinstance(one, ast.FunctionDef) else None
            if isinstance(one, ast.FunctionDef) and options is not None:
                setattr(self, one.name, hookimpl(**options)(_waiting(module, one)))
        self.module = module
        if hasattr(self, "register_migrations"):
            folder = str(Path(found.origin).parent / "migrations")
            self.register_migrations = hookimpl(lambda: folder)  # where a built-in plugin has them

    def wake(self) -> None:
        """Import the module, and with it its tables."""
        import_module(self.module)


def _options(function: ast.FunctionDef) -> dict[str, Any] | None:
    """Return what a function's mark says of it as a hook, such as that it is asked last; None for one that is none."""
    for mark in function.decorator_list:
        named = mark.func if isinstance(mark, ast.Call) else mark
        if isinstance(named, ast.Name) and named.id == "hookimpl":
            return {str(one.arg): ast.literal_eval(one.value) for one in mark.keywords} if isinstance(mark, ast.Call) else {}
    return None


def _waiting(module: str, function: ast.FunctionDef) -> Callable[..., Any]:
    """Return what calls a function of a module that is imported first; with its arguments, by whose names pluggy knows what to give."""
    def called(*given: Any) -> Any:
        return getattr(import_module(module), function.name)(*given)

    names = ", ".join(one.arg for one in function.args.args)
    made: Callable[..., Any] = eval(f"lambda {names}: called({names})", {"called": called})  # names of our own file
    return made
