"""Keys of rows on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_MANY = """
import os
from pathlib import Path
from plugins.tabular.row_keys import opened_keys
with opened_keys() as keys:
    number = keys.index(0, (1,))
    for seq in range(60_000):
        keys.add(number, f"a key of some length that fills pages {seq * 7919 % 60_000}", seq)
    print(keys.is_unique(number), keys.find(number, "a key of some length that fills pages 7919"), keys.find(number, "none"))
    for one in list(Path("/proc/self/fd").iterdir()):
        print(os.readlink(one) if one.is_symlink() else "")
    os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Only Linux tells which files a process has open.")
def test_keys_lie_in_a_file_without_a_name(tmp_path: Path) -> None:
    """They are on disk, and a process that is killed leaves nothing behind."""
    done = subprocess.run([sys.executable, "-u", "-c", _MANY], env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True)
    found, *files = done.stdout.splitlines()
    assert (-9, "True 1 None") == (done.returncode, found)
    assert any(name.startswith(str(tmp_path)) and name.endswith("(deleted)") for name in files)
    assert [] == list(tmp_path.iterdir())
