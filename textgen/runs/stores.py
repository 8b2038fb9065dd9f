"""The store that a run learned from, in the place of a text of its own."""

import shlex
from pathlib import Path

from textgen.errors import TextgenError
from textgen.names import readable
from textgen.runs.folder import Run
from textgen.text.store import Store, is_store


def store_of(run: Run, moved: Path | None = None) -> Store | None:
    """Return the store that a run learned from; none where it has a text of its own.

    It is looked for where it was, and by its name in this folder. Where it has been moved, the run
    remembers the new place with what is next written of it.

    Args:
        run: the run.
        moved: where it is now.

    Raises:
        TextgenError: it is in none of these places, is damaged, or is another one now.
    """
    if run.store is None:
        return None
    before = Path(run.store)
    places = [before, Path(before.name)] if moved is None else [moved]
    found = next((place for place in places if is_store(place)), None)
    if found is None:
        raise TextgenError(
            "the store that {name} learned from is not in {places}: put it back, or go on with "
            "textgen train --resume {quoted} STORE",
            name=run.name,
            places=" or ".join(readable(place) for place in places),
            quoted=shlex.quote(run.name),
        )
    store = Store(found)
    if store.sha256 != run.config.get("text_sha256"):
        raise TextgenError(
            "{path} is not the store any more that {name} learned from: put that back, or train a "
            "new run on this one",
            path=found,
            name=run.name,
        )
    run.config["store"] = str(found.absolute())
    return store
