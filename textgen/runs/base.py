"""The model in the box: one that comes with the package, so that there is one to write with.

Its card stands beside it; ``scripts/base`` made it.
"""

from pathlib import Path

NAME = "base"

FOLDER = Path(__file__).parent / NAME
"""A run folder without text and record: it writes, and is not gone on with."""
