"""``python -m textgen`` is ``textgen``."""

from textgen.cli.commands import main

main()
