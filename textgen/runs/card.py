"""The card of a run that is given away: what it learned, how well, and how to write with it."""

import shlex
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from textgen.names import readable
from textgen.runs.summary import Summary


def card(
    summary: Summary, name: str, with_text: Collection[str], remarks: Sequence[str] = ()
) -> str:
    """Return the card in Markdown, in English and then in Chinese.

    Args:
        summary: the run.
        name: what the folder is called that the card is in.
        with_text: the files of the text that are in it.
        remarks: lines without which its figures may not be shown.
    """
    run = summary.run
    beginning = next((token for token in run.vocab.tokens if token.isalnum()), "a")
    counted, left_out = run.settings.model.counts, "text.txt" not in with_text
    lines = [
        f"# {readable(name)}",
        "",
        "A language model that textgen trained. 由 textgen 训练的语言模型。",
        "",
        "```sh",
        f"textgen generate {shlex.quote(f'./{name}')} --prefix {shlex.quote(beginning)}",
        "```",
        "",
        *_figures(summary),
        *remarks,
        *[""] * bool(remarks),
        *_facts(summary),
        *(_LEFT_OUT[counted] if left_out else _WITH_TEXT),
        "",
        *_facts_in_chinese(summary),
        *(_LEFT_OUT_IN_CHINESE[counted] if left_out else _WITH_TEXT_IN_CHINESE),
    ]
    return "".join(f"{line}\n" for line in lines)


_NOT_WITHOUT = "- it cannot be trained on, and nothing can be checked against the text"
_LEFT_OUT = {
    False: ("- left out: text.txt", _NOT_WITHOUT),
    True: (
        "- left out: text.txt and counts.safetensors, which gives it away",
        "- without counts it writes by its network alone",
        _NOT_WITHOUT,
    ),
}
_WITH_TEXT = ("- it has the text: give it away only where you may give the text away",)

_NOT_WITHOUT_IN_CHINESE = "- 不能接着训练，也无法对照原文检查"
_LEFT_OUT_IN_CHINESE = {
    False: ("- 未收入：text.txt", _NOT_WITHOUT_IN_CHINESE),
    True: (
        "- 未收入：text.txt，以及会泄露原文的 counts.safetensors；没有计数，只凭网络来写",
        _NOT_WITHOUT_IN_CHINESE,
    ),
}
_WITH_TEXT_IN_CHINESE = ("- 内含原文：有权转交原文，才可转交",)


def _figures(summary: Summary) -> Iterator[str]:
    """Yield what the held-out part came to, a row for each way to judge it."""
    run = summary.run
    rows = {
        "network alone 网络本身": summary.network_bits,
        "with counts 加上计数": summary.static_bits,
        "as it reads 边读边记" if run.settings.model.counts else "this model 本模型": summary.bits,
        "Kneser-Ney": run.kneser_ney_bits,
        "trigram": run.trigram_bits,
    }
    known = {name: bits for name, bits in rows.items() if bits is not None}
    if known:
        yield "| held out 留出部分 | bits per character 每字比特 |"
        yield "|---|---:|"
        for name, bits in known.items():
            yield f"| {name} | {bits:.3f} |"
        yield ""


def _facts(summary: Summary) -> Iterator[str]:
    run, model = summary.run, summary.run.settings.model
    resolved = model.resolved()
    count = resolved.num_networks
    networks = "network:" if count == 1 else f"networks: {count}, each"
    sha256 = run.config.get("text_sha256")
    yield f"- text: {_files(summary)}, {_characters(summary)} characters" + (
        f"; SHA-256 of the {'clean text' if run.store is None else 'store'} {sha256}"
        if sha256
        else ""
    )
    yield (
        f"- {networks} {model.cell.upper()}, layers {model.num_layers}, units "
        f"{resolved.hidden_size}, embedding {resolved.embedding_size}; "
        f"{len(run.vocab):,} {run.vocab.kind}s known, and in "
        "vocab.json how often each stands in the text"
    )
    if run.begun_with:
        yield f"- begun with the weights of {readable(run.begun_with)}" + (
            "; earlier.txt, what that had learned from, is left out where text.txt is"
            if run.has_earlier_text
            else ""
        )
    versions = (f"{name} {version}" for name, version in run.config.get("versions", {}).items())
    yield f"- training: {_training(summary, 'epochs', 'minutes')}; {', '.join(versions)}"


def _facts_in_chinese(summary: Summary) -> Iterator[str]:
    run, model = summary.run, summary.run.settings.model
    resolved = model.resolved()
    count = resolved.num_networks
    networks = "网络：" if count == 1 else f"网络：{count} 个，每个 "
    yield f"- 文本：{_files(summary)}，{_characters(summary)} 字"
    yield (
        f"- {networks}{model.cell.upper()}，{model.num_layers} 层，"
        f"{resolved.hidden_size} 单元；词表 {len(run.vocab):,}，vocab.json 记有各自的次数"
    )
    if run.begun_with:
        yield f"- 以 {readable(run.begun_with)} 的权重起步" + (
            "；它学过的文本 earlier.txt 与 text.txt 一同收入，或一同不收入"
            if run.has_earlier_text
            else ""
        )
    yield f"- 训练：{_training(summary, '遍', '分钟')}"


def _files(summary: Summary) -> str:
    return ", ".join(Path(file).name for file in summary.files) or "?"


def _characters(summary: Summary) -> str:
    characters = summary.run.config.get("characters")
    return f"{characters:,}" if characters is not None else "?"


def _training(summary: Summary, epochs: str, minutes: str) -> str:
    figures = ((summary.newest("epoch"), epochs), (summary.minutes, minutes))
    return ", ".join(f"{value:.2f} {unit}" for value, unit in figures if value is not None) or "?"
