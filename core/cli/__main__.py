"""``python -m core.cli``: the same as ``appkeep``."""

from core.cli.main import main

main(prog_name="appkeep")
