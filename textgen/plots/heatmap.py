"""A text as one HTML page that opens offline, every character coloured by its surprisal.

Shapes: M tokens of the text, K likeliest tokens at each of them.
"""

import base64
import html
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.evaluation.judge import Judged
from textgen.evaluation.predictions import Predictions
from textgen.files import write_atomically
from textgen.language import _
from textgen.names import readable
from textgen.plots.html_page import html_page, in_script, language_of
from textgen.text.vocab import UNKNOWN, Vocab

MAX_CHARACTERS = 200_000
"""Characters on a page: some 14 MB, which browsers show within seconds."""

_TOLD_BY = 10_000
"""Tokens that tell which language a text is in."""

_HIGHEST = 16
"""Bits from which on a character has the last colour: one in 65,536."""

_COLOURS = ((255, 255, 255), (255, 233, 160), (254, 178, 96), (244, 118, 80), (214, 84, 120))
"""From no surprise to the highest; black text is easy to read on all of them."""

_WHO_COLOURS = ("#ffffff", "#b7dcff", "#bfe8c2", "#ffe08a", "#ffc9a3", "#e3ccf5")
"""The network's, that of all that followed, of what followed lately, and of the windows."""

_STYLE = """
body { font-family: sans-serif; color: #222; max-width: 860px; margin: 24px auto;
  padding: 0 16px }
p { margin: 0; font-size: 19px; line-height: 1.75; min-height: 1em; white-space: pre-wrap;
  overflow-wrap: anywhere; content-visibility: auto; contain-intrinsic-size: auto 70px }
i { font-style: normal }
i:hover, i.chosen { outline: 2px solid #222 }
.unknown { text-decoration: underline dotted }
.control { color: #888; font-size: 12px }
#legend { display: flex; align-items: center; gap: 12px; margin: 16px 0 24px; font-size: 14px }
#legend div span { display: inline-block; min-width: 26px; padding: 3px 0; text-align: center }
#asked { font-size: 14px; margin-bottom: 24px }
#hint { position: fixed; z-index: 1; display: none; background: #fff; border: 1px solid #888;
  border-radius: 4px; padding: 8px 12px; box-shadow: 0 2px 8px #0003; font-size: 15px;
  pointer-events: none }
#hint td { padding: 1px 10px 1px 0 }
#hint tr:first-child td { border-bottom: 1px solid #ccc; font-weight: bold }
#hint .number { text-align: right; color: #555 }
"""

_SCRIPT = """
const bytes = (name, Type) => new Type(
  Uint8Array.from(atob(data[name]), character => character.charCodeAt(0)).buffer);
const bits = bytes('bits', Uint16Array), ids = bytes('ids', Uint32Array);
const chances = bytes('chances', Uint16Array), known = bytes('known', Uint8Array);
const opinions = bytes('opinions', Uint16Array), asked = data.asked.length;
const hint = document.getElementById('hint');
const row = (...values) => {
  const line = document.createElement('tr');
  for (const [index, value] of values.entries()) {
    const cell = line.insertCell();
    cell.textContent = value;
    if (index) cell.className = 'number';
  }
  return line;
};
let chosen = null;
function show(target) {
  if (chosen) chosen.classList.remove('chosen');
  chosen = target.closest('p > i');
  hint.style.display = chosen ? 'block' : 'none';
  if (!chosen) return;
  chosen.classList.add('chosen');
  const paragraph = chosen.parentElement;
  const place = +paragraph.dataset.first + Array.prototype.indexOf.call(paragraph.children, chosen);
  const table = document.createElement('table');
  const name = data.names[data.text[place]];
  table.append(row(known[place] ? name : name + ' ' + data.unknown,
    data.surprisal.replace('{bits}', (bits[place] / 100).toFixed(2))));
  for (let k = place * data.likeliest; k < (place + 1) * data.likeliest; k++)
    table.append(row(data.names[ids[k]], (chances[k] / 655.35).toFixed(2) + ' %'));
  for (let k = 0; k < asked && asked > 1; k++)
    table.append(row(data.asked[k],
      (opinions[place * asked + k] / 655.35).toFixed(2) + ' %'));
  hint.replaceChildren(table);
  const box = chosen.getBoundingClientRect(), size = hint.getBoundingClientRect();
  hint.style.left = Math.max(4, Math.min(box.left, innerWidth - size.width - 8)) + 'px';
  hint.style.top = (box.bottom + size.height + 8 < innerHeight
    ? box.bottom + 6 : box.top - size.height - 6) + 'px';
}
document.addEventListener('mouseover', event => show(event.target));
document.addEventListener('click', event => show(event.target));
document.addEventListener('scroll', () => show(document.body));
document.getElementById('who')?.addEventListener('change', event =>
  document.body.classList.toggle('who', event.target.checked));
"""


def write_heatmap(judged: Judged, path: Path) -> int:
    """Write a page that shows how much each character of a text surprises the model.

    Args:
        judged: the model and the text.
        path: the HTML file; one that is there is replaced.

    Returns:
        How many characters at the text's end are left out, because a page holds no more.

    Raises:
        TextgenError: the file cannot be written.
    """
    tokens, predictions = judged.predictions(MAX_CHARACTERS)
    title = _("{name}: {text}").format(name=judged.trained.run.name, text=readable(judged.name))
    write_predictions(path, title, judged.trained.vocab, tokens, predictions, judged.remarks())
    return max(0, len(judged.text) - MAX_CHARACTERS)


def write_predictions(
    path: Path,
    title: str,
    vocab: Vocab,
    tokens: list[str],
    predictions: Predictions,
    remarks: Sequence[str] = (),
) -> None:
    """Write the page.

    Args:
        path: the file; one that is there is replaced.
        title: what stands above the text.
        vocab: the model's vocabulary.
        tokens: the text's tokens, M of them.
        predictions: what the model expected at each.
        remarks: lines without which the figures may not be read.

    Raises:
        TextgenError: the file cannot be written.
    """
    # Every token that is named anywhere gets a number; the model's own keep theirs.
    names = {token: id_ for id_, token in enumerate(vocab.tokens)}
    text = [names.setdefault(token, len(names)) for token in tokens]
    known = np.array([token in vocab for token in tokens], dtype=np.uint8)
    chances = (predictions.probabilities * 65535).round()
    data = in_script(
        {
            "bits": _base64((predictions.bits * 100).round().clip(0, 65535), "<u2"),
            "ids": _base64(predictions.ids, "<u4"),
            "chances": _base64(chances, "<u2"),
            "known": _base64(known, "u1"),
            "opinions": _base64((predictions.opinions * 65535).round(), "<u2"),
            "asked": predictions.asked,
            "likeliest": predictions.ids.shape[1],
            "names": [_named(token) for token in names],
            "text": text,
            "unknown": _("(unknown to the model)"),
            "surprisal": _("{bits} bits"),
        }
    )
    characters = np.array([len(token) for token in tokens])
    right = predictions.opinions.argmax(axis=1)
    lines = _paragraphs(
        tokens, (predictions.bits / characters).tolist(), known.tolist(), right.tolist()
    )
    body = f"""<div id="legend">{_("bits per character")} {_legend()}
<i class="unknown">{_("unknown to the model")}</i></div>
{_who(predictions.asked)}<div id="hint"></div>
<div lang="{language_of("".join(tokens[:_TOLD_BY]))}">
{"".join(lines)}</div>
<script>
const data = {data};
{_SCRIPT}</script>"""
    write_atomically(path, html_page(title, _STYLE + _colour_classes(), body, remarks=remarks))


def _paragraphs(
    tokens: list[str], bits: list[float], known: list[int], right: list[int]
) -> Iterator[str]:
    """Yield the text's lines, each token in its colour; a browser lays out those in view only."""
    first = 0
    line: list[str] = []
    for place, (token, cost, is_known, who) in enumerate(
        zip(tokens, bits, known, right, strict=True)
    ):
        names = f"b{min(int(cost), _HIGHEST)} w{who}" + " unknown" * (not is_known)
        line.append(f"<i class='{names}'>{_shown(token)}</i>")
        if "\n" in token or place == len(tokens) - 1:
            yield f"<p data-first={first}>{''.join(line)}</p>\n"
            first, line = place + 1, []


def _shown(token: str) -> str:
    if token.isprintable() or token in (" ", "\u3000"):
        return html.escape(token)
    return f"<span class=control>{html.escape(_named(token))}</span>"


def _named(token: str) -> str:
    """Return what to call a token that may have no look of its own."""
    if token == UNKNOWN:
        return _("(unknown)")
    if token.isprintable() and not token.isspace():
        return token
    return "".join({"\n": "↵", " ": "␣"}.get(c, f"U+{ord(c):04X}") for c in token)


def _colour_classes() -> str:
    surprisal = (f".b{bits} {{ background: {_colour(bits)} }}\n" for bits in range(_HIGHEST + 1))
    right = (f".who .w{n} {{ background: {colour} }}\n" for n, colour in enumerate(_WHO_COLOURS))
    return "".join((*surprisal, *right))


def _who(asked: tuple[str, ...]) -> str:
    """Return the switch to colours that say who gave each character the most, and their legend."""
    if len(asked) == 1:
        return ""
    names = " ".join(f"<i class=w{n}>{html.escape(name)}</i>" for n, name in enumerate(asked))
    right = _("who was right, that is, gave the character the most:")
    return (
        f'<p id="asked"><label><input type="checkbox" id="who"> {right}</label> '
        f"<span class=who>{names}</span></p>\n"
    )


def _colour(bits: int) -> str:
    place = bits / _HIGHEST * (len(_COLOURS) - 1)
    index = min(int(place), len(_COLOURS) - 2)
    share = place - index
    pair = zip(_COLOURS[index], _COLOURS[index + 1], strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pair)


def _legend() -> str:
    labels = [*map(str, range(_HIGHEST)), f"{_HIGHEST}+"]
    cells = (f"<span class=b{bits}>{label}</span>" for bits, label in enumerate(labels))
    return f"<div>{''.join(cells)}</div>"


def _base64(values: NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()
