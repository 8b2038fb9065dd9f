"""What ``textgen corpus show`` shows of files."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from textgen.cli.printer import print_text
from textgen.language import _, marked

if TYPE_CHECKING:
    from textgen.reading.corpus import Corpus, SourceFile

_SHOWN = 30
"""Characters that are shown of the most frequent and of the rarest."""

_EXAMPLES = 5
"""Things that web sites left that are shown of each kind, unless all are taken out."""

_KINDS: dict[str, str] = {
    "site address": marked("site address"),
    "HTML entity": marked("HTML entity"),
    "mojibake": marked("mojibake"),
}
"""What web sites leave."""


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
        lines = [
            _("most frequent: {shown}").format(shown=shown(frequent[:_SHOWN])),
            _("occurring once: {count:,}: {shown}").format(
                count=len(once), shown=shown(once[:_SHOWN])
            ),
        ]
        for line in lines:
            print_text(f"  {line}")
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
            _("line {number:,} {old!r}").format(number=finding.line, old=finding.old)
            + f" → {finding.new!r}" * bool(finding.new)
            for finding in (found if removed else found[:_EXAMPLES])
        ]
        if len(shown) < len(found):
            shown.append(_("and {count:,} more").format(count=len(found) - len(shown)))
        template = (
            _("{kind}: {count:,} taken out: {shown}")
            if removed
            else _("{kind}: {count:,} left as they are (--clean web takes them out): {shown}")
        )
        kind_told, shown_told = _(_KINDS[kind]), _(", ").join(shown)
        lines.append(template.format(kind=kind_told, count=len(found), shown=shown_told))
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
