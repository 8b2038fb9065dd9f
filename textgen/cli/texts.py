"""The beginnings that a command is given, and the texts that it writes from them."""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from textgen.config import GenerationConfig, SearchConfig
from textgen.errors import UsageError

if TYPE_CHECKING:
    from textgen.runs.trained import Trained
    from textgen.writing.decoder import Decoder
    from textgen.writing.endings import Ending

log = logging.getLogger(__name__)


def beginning(prefix: str | None, prefix_file: Path | None) -> str:
    """Return the text to go on from."""
    if prefix is not None and prefix_file is None:
        return prefix
    if prefix_file is not None and prefix is None:
        from textgen.text.reading import read_corpus

        return read_corpus([prefix_file]).text.rstrip("\n")
    if prefix is not None:
        raise UsageError("--prefix and --prefix-file are two beginnings: give one of them")
    raise UsageError("generate needs a beginning: --prefix TEXT or --prefix-file FILE")


def warn_of_encoding(trained: "Trained") -> None:
    """Tell who cannot see what will be written, and what to do."""
    encoding = sys.stdout.encoding or "ascii"
    likeliest = "".join(trained.vocab.tokens[1:100])
    if "?" in likeliest.replace("?", "").encode(encoding, "replace").decode(encoding):
        log.warning(
            "%s lacks characters that this model writes, and shows ? in their place: "
            "set PYTHONIOENCODING=utf-8",
            encoding,
        )


def write_texts(
    decoder: "Decoder",
    prefix: str,
    generation: GenerationConfig,
    search: SearchConfig,
    *,
    quiet: bool = False,
) -> "tuple[list[str], list[Ending]]":
    """Write what is asked for, print it as it comes unless quiet, and return the continuations."""
    from textgen.cli.printer import Printer
    from textgen.writing.beam import beam_search
    from textgen.writing.endings import Ending
    from textgen.writing.generation import write_several

    printer = None if quiet else Printer()
    context = decoder.read(prefix)
    if search.beam is None:
        pieces = write_several(decoder, context, generation, range(search.samples))
    else:
        found = beam_search(decoder, context, generation, search.beam)
        pieces = iter([(0, found.text, found.ending)])
    texts = [""] * search.samples
    endings = [Ending.of(generation)] * search.samples
    begun = -1
    for number, piece, ending in pieces:
        if printer is not None:
            if number > begun and search.samples > 1:
                if begun >= 0:
                    printer.end()
                printer.write(f"--- {number + 1} of {search.samples} ---\n")
            printer.write(prefix * (number > begun) + piece)
        begun = number
        texts[number] += piece
        endings[number] = ending
    if printer is not None:
        printer.end()
    return texts, endings


def tell_of_what_never_came(generation: GenerationConfig, endings: "list[Ending]") -> None:
    """Say so where a text ended only because it was long enough."""
    count = sum(ending.over == "length" for ending in endings)
    asked = []
    if generation.stop is not None:
        asked.append(f"--stop {generation.stop!r}")
    if generation.sentences is not None:
        asked.append(f"--sentences {generation.sentences}")
    if count and asked:
        where = f" in {count:,} of {len(endings):,} samples" if len(endings) > 1 else ""
        log.info(
            "%s did not end the text%s: it ends at --length %d",
            " and ".join(asked),
            where,
            generation.length,
        )
