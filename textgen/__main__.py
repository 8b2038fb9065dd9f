"""``python -m textgen`` is ``textgen``."""

from textgen.cli import main

main()
