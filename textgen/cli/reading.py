"""What ``textgen corpus show`` shows of files."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from textgen.cli.printer import print_text

if TYPE_CHECKING:
    from textgen.reading.corpus import Corpus, SourceFile

_SHOWN = 30
"""Characters that are shown of the most frequent and of the rarest."""

_EXAMPLES = 5
"""Things that web sites left that are shown of each kind, unless all are taken out."""


def print_corpus(corpus: "Corpus", *, removed: bool) -> None:
    """Print what files hold, and what web sites left in them.

    Args:
        corpus: the files, read with a look for that.
        removed: it was taken out, so all of it is listed.
    """
    from textgen.text.unknown import shown

    for file in corpus.files:
        counts = file.counts
        frequent = sorted(counts, key=lambda character: -counts[character])
        once = [character for character, count in counts.items() if count == 1]
        for line in file.describe():
            print_text(line)
        print_text(f"  most frequent: {shown(frequent[:_SHOWN])}")
        print_text(f"  occurring once: {len(once):,}: {shown(once[:_SHOWN])}")
        for line in _web_lines(file, removed=removed):
            print_text(f"  {line}")
    for line in corpus.about_left_out():
        print_text(line)


def _web_lines(file: "SourceFile", *, removed: bool) -> list[str]:
    """Return a line for each kind of thing that web sites left, and those that are shown of it."""
    lines = []
    for kind in dict.fromkeys(finding.kind for finding in file.cleaned.web):
        found = [finding for finding in file.cleaned.web if finding.kind == kind]
        shown = [
            f"line {finding.line:,} {finding.old!r}" + f" → {finding.new!r}" * bool(finding.new)
            for finding in (found if removed else found[:_EXAMPLES])
        ]
        more = f", and {len(found) - len(shown):,} more" if len(shown) < len(found) else ""
        done = "taken out" if removed else "left as they are (--clean web takes them out)"
        lines.append(f"{kind}: {len(found):,} {done}: {', '.join(shown)}{more}")
    return lines


def corpus_values(corpus: "Corpus") -> dict[str, Any]:
    """Return what files hold, for JSON."""
    files = [
        {
            "path": str(file.path),
            "encoding": file.encoding,
            "characters": len(file.text),
            "distinct": len(file.counts),
            "changes": file.cleaned.changes,
            "layout": file.cleaned.kept or "prose",
            "broken_at": file.cleaned.width,
            "damage": None if file.damage is None else asdict(file.damage),
            "web": [asdict(finding) for finding in file.cleaned.web],
        }
        for file in corpus.files
    ]
    left_out = [{"path": str(path), "why": why} for path, why in corpus.left_out]
    return {"files": files, "left_out": left_out}
