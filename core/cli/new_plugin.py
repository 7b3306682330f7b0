"""Writing a new plugin: a package that can be installed, with tests that pass. Its words are in the files of `template/`."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from typing import Any

from core.base.errors import Conflict, InvalidInput
from core.server import server

TEMPLATE = Path(__file__).parent / "template"
NAME = re.compile(r"[a-z][a-z0-9]{1,29}(_[a-z0-9]+)*")


def write(name: str, folder: Path, *, table: bool = False) -> dict[str, Any]:
    """Write the plugin *name* into a new folder of that name within *folder*, and return {"folder", "files", "next"}.

    Raises:
        InvalidInput: the name cannot be that of a component and a package.
        Conflict: it is taken, or there is such a folder.
    """
    if not NAME.fullmatch(name) or len(name) > 30 or keyword.iskeyword(name):
        raise InvalidInput(f"“{name[:40]}” is not a name for a plugin: use small letters, digits and _, at most 30, such as “notes”.")
    if name in server().registry.components:
        raise Conflict(f"There is a component “{name}” already. Choose another name.")
    home = folder / f"appkeep-{name.replace('_', '-')}"
    if home.exists():
        raise Conflict(f"“{home}” is there already. Choose another folder with --folder, or another name.")
    letter = _free_letter(name)
    words = {"NAME": name, "TITLE": name.replace("_", " ").capitalize(), "CLASS": name.title().replace("_", ""), "LETTER": letter,
             "LETTER1": letter[0], "PACKAGE": home.name}
    files = sorted(path for part in (["document", "table"] if table else ["document"]) for path in (TEMPLATE / part).rglob("*")
                   if path.is_file() and "__pycache__" not in path.parts)
    written = {}
    for path in files:
        relative = path.relative_to(TEMPLATE / ("table" if path.is_relative_to(TEMPLATE / "table") else "document"))
        written[_filled(str(relative).removesuffix(".txt"), words)] = _filled(path.read_text(), words)
    for relative_name, text in written.items():
        target = home / relative_name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return {"folder": str(home), "files": sorted(written),
            "next": f"cd {home} && pip install --no-build-isolation --editable . && python -m pytest"}


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text


def _free_letter(name: str) -> str:
    """Return letters that no kind's keys begin with: the first of the name, or more of it."""
    taken = {kind.letter for _, kind in server().registry.kinds.values()}
    plain = name.replace("_", "")
    letters = "".join(char for char in plain if char.isalpha())
    found = next((letters[:length] for length in (1, 2, 3) if letters[:length] not in taken), None)
    return found or next(first + second for first in "xyz" for second in "xyz" if first + second not in taken)
