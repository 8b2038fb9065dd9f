"""Texts as they are written: shown piece by piece, or with a bar where nobody reads along."""

import logging
import os
import sys
from collections.abc import Generator, Sequence
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING

from textgen.cli.written import Written
from textgen.config import GenerationConfig, SearchConfig
from textgen.language import _

if TYPE_CHECKING:
    from textgen.cli.printer import Printer
    from textgen.runs.trained import Trained
    from textgen.writing.decoder import Context, Decoder
    from textgen.writing.endings import Ending

log = logging.getLogger(__name__)


def warn_of_encoding(trained: "Trained") -> None:
    """Tell who cannot see what will be written, and what to do."""
    encoding = sys.stdout.encoding or "ascii"
    likeliest = "".join(trained.vocab.tokens[1:100])
    if "?" in likeliest.replace("?", "").encode(encoding, "replace").decode(encoding):
        # It is what mends a beginning that is typed, too; but for the streams, the other one wins.
        sets_another = bool(os.environ.get("PYTHONIOENCODING"))
        and_unset = _(", and unset PYTHONIOENCODING") if sets_another else ""
        log.warning(
            "%s lacks characters that this model writes, and shows ? in their place: "
            "set PYTHONUTF8=1%s",
            encoding,
            and_unset,
        )


def write_texts(
    decoder: "Decoder",
    starts: Sequence[str],
    generation: GenerationConfig,
    search: SearchConfig,
    texts: list[Written],
    *,
    quiet: bool = False,
) -> None:
    """Write what is asked for, and print it as it comes unless quiet.

    Args:
        decoder: the model.
        starts: the beginnings.
        generation: how to draw, and where to end.
        search: how many texts of each, or how wide a beam.
        texts: the texts are added here as they come, so that who stops has what there is.
        quiet: print nothing.
    """
    from textgen.bars import progress_bar
    from textgen.cli.printer import Printer

    printer = None if quiet else Printer()
    count = len(starts) * search.samples
    total = count * generation.length
    with (
        nullcontext()
        if printer is not None and sys.stdout.isatty()  # somebody reads along
        else progress_bar(total, _("characters"), _("writing"), delay=1.0)
    ) as bar:
        for start in starts:
            context = decoder.read(start)
            with closing(_pieces(decoder, context, generation, search)) as pieces:
                current = -1
                for number, piece, ending in pieces:
                    if number != current:
                        new = Written(start, decoder.ending(generation))
                        new.is_line = decoder.end == "\n"
                        _begin(texts, new, count, printer)
                        current = number
                    texts[-1].text += piece
                    texts[-1].ending = ending
                    if printer is not None:
                        printer.write(piece)
                    if bar is not None:
                        bar.update(len(piece))
    if printer is not None:
        printer.end()


def _pieces(
    decoder: "Decoder", context: "Context", generation: GenerationConfig, search: SearchConfig
) -> "Generator[tuple[int, str, Ending]]":
    """Yield each text's pieces, with its number and how near it is to its end."""
    from textgen.writing.beam import beam_search
    from textgen.writing.generation import write_several

    if search.beam is None:
        yield from write_several(decoder, context, generation, range(search.samples))
    else:
        found = beam_search(decoder, context, generation, search.beam)
        yield 0, found.text, found.ending


def _begin(texts: list[Written], new: Written, count: int, printer: "Printer | None") -> None:
    """Begin the next of so many texts."""
    number = len(texts)
    texts.append(new)  # first: who stops it once something is shown is told how to have it again
    if printer is not None:
        if number:
            printer.end()
        printer.write(new.header(number, count) + new.prefix)


def tell_of_what_never_came(generation: GenerationConfig, texts: Sequence[Written]) -> None:
    """Say so where a text ended only because it was long enough."""
    count = sum(one.ending.over == "length" for one in texts)
    asked = []
    if generation.stop is not None:
        asked.append(f"--stop {generation.stop!r}")
    if generation.sentences is not None:
        asked.append(f"--sentences {generation.sentences}")
    if count and asked:
        flags, length = _(" and ").join(asked), generation.length
        if len(texts) == 1:
            log.info("%s did not end the text: it ends at --length %d", flags, length)
        else:
            told = _(
                "{flags} did not end the text in {count:,} of {all:,} samples: it ends at "
                "--length {length}"
            )
            log.info("%s", told.format(flags=flags, count=count, all=len(texts), length=length))
