"""Every setting, with its one default, its unit and the range it may take.

The command line, its help, the TOML files and the run folder's ``config.json`` all come
from these dataclasses. A setting out of range raises ``UsageError`` when it is made.
"""

import difflib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from itertools import chain
from math import inf
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from textgen.errors import UsageError
from textgen.language import Message, marked

DEFAULT_CHECKPOINTS = "checkpoints"
"""Folder in which every run has its folder."""

DEFAULT_VISDOM_PORT = 8097
NOWHERE = "none"
"""The Visdom server that is none."""

MONITOR = "monitor"
"""The Visdom server of the monitor that watches the folder of the runs, if one does."""

DEFAULT_VISDOM = MONITOR

DEFAULT_PORT = 8000
"""Where ``textgen serve`` listens."""

DEFAULT_MAX_TOKENS = 16
"""Characters of a completion that is not told how long: what the interface says."""

DEFAULT_MINUTES = 10.0
"""Minutes that a training takes which is not told how long."""

HIDDEN_SIZES = (256, 512)
"""Units in a recurrent layer that a training chooses from; the first where nothing is measured."""

BATCH_SIZES = (16, 32, 64)
"""Rows in a batch of a short text, or one of which nothing is known, of a long one, and of one that
is very long."""

_LEARNING_RATES = (8e-3, 1e-2, 1.4e-2)
"""With so many rows, and more."""

MAX_REPETITION_WINDOW = 1024
"""Tokens back to which the repetition penalty can look: so many are kept at hand."""


def usual_embedding_size(hidden_size: int) -> int:
    """Return the embedding size that goes with a hidden size, where none is given.

    128 beside 256 units and 192 beside 512, the two that were tried: docs/performance.md.
    """
    return max(128, hidden_size * 3 // 8)


def _require(condition: bool, name: str, value: object, expected: Message) -> None:
    if not condition:
        flag = name.replace("_", "-")
        raise UsageError(
            "--{flag} is {value}: it must be {expected}", flag=flag, value=value, expected=expected
        )


@dataclass(frozen=True)
class Range:
    """The numbers that a setting may be: its check, and the words for it in messages and help."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    """Infinite, it allows every finite number."""

    def __contains__(self, value: float) -> bool:
        # What is no number is in no range: it is neither above nor below anything.
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )

    def in_words(self) -> Message:
        """Return it as messages and the help have it."""
        parts = [
            Message(template, number=_shown(number))
            for template, number in (
                (marked("at least {number}"), self.at_least),
                (marked("above {number}"), self.above),
                (marked("at most {number}"), self.at_most),
                (marked("below {number}"), self.below),
            )
            if number is not None and number != inf
        ]
        if self.below == inf:
            parts.append(Message("finite"))
        if len(parts) == 1:
            return parts[0]
        least, most = parts
        if self.at_least is not None and self.at_most is not None:
            return Message(
                "between {least} and {most}", least=_shown(self.at_least), most=_shown(self.at_most)
            )
        return Message("{least}, {most}", least=least, most=most)


def _shown(number: float) -> str:
    if isinstance(number, int) and number >= 2**32 and number.bit_count() == 1:
        return f"2^{number.bit_length() - 1}"
    return f"{number:,}"


Count = Annotated[int, Range(at_least=1)]
"""A setting that counts what there has to be at least one of."""

Probability = Annotated[float, Range(at_least=0, at_most=1)]

Share = Annotated[float, Range(at_least=0, below=1)]
"""A part that is not the whole."""

Long = Annotated[float, Range(above=0, at_most=1_000_000)]
"""How long something takes, in whatever unit."""

Seed = Annotated[int, Range(at_least=0, below=2**62)]


def ranges(config: type) -> dict[str, Range]:
    """Return the ranges of those settings of a class that have one, by their names."""
    found = {}
    for name, hint in get_type_hints(config, include_extras=True).items():
        # One that need not be given has None beside the numbers.
        for one in (hint, *get_args(hint)):
            for extra in getattr(one, "__metadata__", ()):
                if isinstance(extra, Range):
                    found[name] = extra
    return found


def _require_ranges(config: object) -> None:
    for name, allowed in ranges(type(config)).items():
        value = getattr(config, name)
        _require(value is None or value in allowed, name, value, allowed.in_words())


def _require_known(names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse names of settings that there are not, and guess which were meant."""
    known = list(known)
    if unknown := [name for name in names if name not in known]:
        near = [guess for name in unknown for guess in difflib.get_close_matches(name, known, n=1)]
        if near:
            raise UsageError(
                "there is no setting called {names}: did you mean {near}?",
                names=", ".join(unknown),
                near=", ".join(near),
            )
        raise UsageError("there is no setting called {names}", names=", ".join(unknown))


def _require_choices(config: object) -> None:
    """Check the settings that are one of a few words; the command line has done so already."""
    for name, hint in get_type_hints(type(config)).items():
        # One that need not be given has None beside the words.
        words = next((one for one in get_args(hint) if get_origin(one) is Literal), hint)
        value = getattr(config, name)
        if get_origin(words) is Literal and value is not None:
            choices = get_args(words)
            _require(
                value in choices,
                name,
                value,
                Message("one of {choices}", choices=", ".join(choices)),
            )


Implementation = Literal["nn", "scratch"]
"""Whose recurrent layers: torch's own, or those written from scratch."""

Cell = Literal["lstm", "gru", "rnn"]
"""Kinds of recurrent layer."""

Precision = Literal["auto", "float32", "bfloat16"]
"""Types of matrix products."""


Errors = Literal["mend", "strict", "replace"]
"""What to do about places of a text that do not fit its encoding."""

Layout = Literal["auto", "prose", "keep"]
"""What to do about indents, blank lines and white space at the ends of lines."""


@dataclass(frozen=True)
class ReadingConfig:
    """How files become text."""

    encoding: str | None = None
    """Encoding of the files, such as gb18030; found out from the bytes when not given."""

    errors: Errors = "mend"
    """What does not fit the encoding is left out and told: up to one in a thousand characters
    (mend), however much it is (replace); or the file is refused (strict)."""

    layout: Layout = "auto"
    """Prose loses indents, trailing spaces and blank lines that tell nothing; code and verse keep
    them. auto looks which it is."""

    unwrap: bool = False
    """Join the lines of paragraphs that are broken at a fixed width."""

    clean: Literal["web"] | None = None
    """web takes site addresses out, and puts characters in place of HTML's entities and of
    mojibake."""

    def __post_init__(self) -> None:
        _require_choices(self)


Items = Literal["line", "file"]
"""What of a text stands for itself."""


@dataclass(frozen=True)
class CorpusConfig:
    """What of a text is used, and what a token is."""

    tokens: Literal["character", "word"] = "character"
    """What the model reads and writes one at a time; words are cut by jieba."""

    items: Items | None = None
    """Texts that stand for themselves: every line, as a list of names has them, or every file, as a
    folder of poems. Each is begun anew and has an end, and they are shuffled before some are held
    out. When not given, all is one text that goes on."""

    min_count: Count = 1
    """A token that occurs fewer times than this becomes <unk>."""

    max_vocab: Annotated[int, Range(at_least=0)] = 20_000
    """Keep only this many tokens, the most frequent; the others become <unk>. 0 keeps all."""

    max_tokens: Count | None = None
    """Read only this many tokens from the beginning of the text."""

    held_out: Annotated[float, Range(at_least=0, at_most=0.5)] = 0.1
    """Share of the text, at its end, or of the items, that is never trained on."""

    def __post_init__(self) -> None:
        _require_ranges(self)
        _require_choices(self)


@dataclass(frozen=True)
class StoreConfig:
    """What becomes of texts in a store."""

    tokens: Literal["character", "word"] = CorpusConfig.tokens
    """What it is of; words are cut by jieba."""

    min_count: Count = CorpusConfig.min_count
    """A token that occurs fewer times than this becomes <unk>."""

    max_vocab: Annotated[int, Range(at_least=0)] = CorpusConfig.max_vocab
    """Keep only this many tokens, the most frequent; the others become <unk>. 0 keeps all."""

    held_out: Annotated[float, Range(at_least=0, at_most=0.5)] = CorpusConfig.held_out
    """Share of the text that is never trained on."""

    held_out_by: Literal["file", "end"] = "file"
    """What is held out: whole texts, evenly spread over all of them, or the end of each. Of one
    text alone it is the end."""

    def __post_init__(self) -> None:
        _require_ranges(self)
        _require_choices(self)


@dataclass(frozen=True)
class Resolved:
    """Those settings of a model that may be left open, with none left open."""

    hidden_size: int
    embedding_size: int
    num_networks: int = 1
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    label_smoothing: float = 0.0


@dataclass(frozen=True)
class ModelConfig:
    """The network's shape."""

    model: Implementation = "nn"
    """torch's own layers (nn), or those written from scratch that you can read."""

    cell: Cell = "lstm"
    """Kind of recurrent layer: an LSTM, a GRU, or a plain recurrent one without gates."""

    embedding_size: Annotated[int, Range(at_least=0)] | None = None
    """Length of a token's vector; 0 feeds the token one-hot, as the source document does; when not
    given, 128, or more beside a larger hidden size."""

    hidden_size: Count | None = None
    """Units in each recurrent layer; when not given, 256, or 512 where a training's minutes are
    enough for so many."""

    num_layers: Annotated[int, Range(at_least=1, at_most=100)] = 1
    """Recurrent layers on top of each other."""

    num_networks: Annotated[int, Range(at_least=1, at_most=100)] | None = None
    """Networks of this shape that learn each for itself and speak together: what one has learned by
    heart, the others do not say. Each takes a step's time; when not given, 1, or 2 where a
    training's minutes are enough for so many."""

    dropout: Share | None = None
    """Share of the values dropped before, between and after the recurrent layers in training; when
    not given, a training takes 0.5 for a short text and down to 0.1 for a novel."""

    recurrent_dropout: Share | None = None
    """Share of a layer's units that are not heard at the next step in training; chosen like the
    dropout when not given."""

    tie: bool = True
    """Use the embedding once more as the output's weights."""

    counts: bool = True
    """Multiply the network with what counting knows of the text: far better text for the same
    time. The network itself learns as it does without."""

    shortcut: bool = True
    """Let the output also read the embedding of the last token, past the recurrent layers."""

    softmax: Literal["full", "sampled"] = "sampled"
    """Classes in the training loss: all; or, of a big vocabulary on a processor, the 1,024 most
    frequent and a weighted sample of the others, which takes two thirds of the time. What is held
    out is always judged with all."""

    label_smoothing: Share | None = None
    """Share of every target that goes to all classes alike in training, over the full softmax;
    chosen like the dropout when not given. The perplexities are those without it."""

    init_std: Annotated[float, Range(above=0, below=inf)] | None = None
    """Draw every weight from N(0, init_std²) and set biases to 0; else each layer's usual way."""

    def __post_init__(self) -> None:
        _require_ranges(self)
        _require_choices(self)

    def resolved(self, **chosen: float) -> Resolved:
        """Return what may be left open: as it is given, else as chosen, else the usual.

        Usual are the smaller of the sizes, the embedding that goes with the size, and that nothing
        is dropped or smoothed: what a network has that is made without a training in view.

        Args:
            chosen: settings by their names, for those that are not given.
        """
        given = {field.name: getattr(self, field.name) for field in fields(Resolved)}
        known = chosen | {name: value for name, value in given.items() if value is not None}
        hidden_size = int(known.setdefault("hidden_size", HIDDEN_SIZES[0]))
        known.setdefault("embedding_size", usual_embedding_size(hidden_size))
        return Resolved(**known)


@dataclass(frozen=True)
class TrainingConfig:
    """How the network learns."""

    batches: Literal["sequential", "random"] = "sequential"
    """Rows that go on from batch to batch, the state carried; or shuffled pieces, state zero."""

    batch_size: Count | None = None
    """Rows in a batch; when not given, 16, or 32 for a long text, or 64 for a very long one."""

    num_steps: Count = 32
    """Tokens in a row: how far back in time the gradient reaches."""

    optimizer: Literal["adamw", "sgd"] = "adamw"
    """Rule that turns gradients into steps."""

    learning_rate: Annotated[float, Range(above=0, below=inf)] | None = None
    """Learning rate at its highest; when not given, 0.008, 0.01 with 32 rows and more, or
    0.014 with 64 and more."""

    schedule: Literal["cosine", "linear", "constant"] = "linear"
    """Course of the learning rate after the warm-up."""

    warmup: Share = 0.03
    """Share of the training in which the learning rate rises from 0."""

    weight_decay: Annotated[float, Range(at_least=0)] = 0.05
    """AdamW's weight decay; biases have none."""

    beta2: Share = 0.99
    """How long AdamW remembers the squares of gradients; 0.999 is Adam's usual value."""

    clip: Annotated[float, Range(above=0)] = 1.0
    """Gradients are scaled down to this norm when theirs is higher; inf leaves them alone."""

    epochs: Long | None = None
    """Passes over the training text. With --minutes, whichever ends first; as many as do a text of
    its length good when not given."""

    minutes: Long | None = None
    """Minutes to train, judging on the way included; 10 with neither this nor --epochs. Time on the
    wall counts, but for a process that is stopped or asleep. With --resume, that much on top."""

    evaluate_every: Annotated[int, Range(at_least=1, at_most=1_000_000)] | None = None
    """Steps between two evaluations on the held-out part; when not given, 10 in all. Only these
    choose the best weights; something to see comes every 20 seconds."""

    patience: Annotated[int, Range(at_least=0)] = 4
    """Stop early after this many evaluations in a row without a better one; 0 never stops."""

    prefix: tuple[str, ...] = ()
    """A beginning that the model continues before the first step and at every evaluation, always
    with the likeliest character; can be given several times."""

    seed: Seed = 0
    """Everything drawn at random follows from this number."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute; auto takes cuda, then mps, then cpu."""

    precision: Precision = "auto"
    """Type of matrix products; auto takes bfloat16 where it is faster, as with AMX, AVX512-BF16 or
    a GPU. Weights are float32 in any case."""

    def __post_init__(self) -> None:
        _require_ranges(self)
        object.__setattr__(self, "prefix", tuple(self.prefix))  # in JSON and TOML it is a list
        _require(all(self.prefix), "prefix", Message("empty"), Message("at least one character"))
        _require_choices(self)

    @property
    def rows(self) -> int:
        """Rows in a batch: the usual ones where it is left open how many."""
        return self.batch_size or BATCH_SIZES[0]

    @property
    def highest_rate(self) -> float:
        """The learning rate at its highest: the one that goes with the rows where none is given."""
        place = bisect_right(BATCH_SIZES, self.rows) - 1
        return self.learning_rate or _LEARNING_RATES[max(0, place)]


@dataclass(frozen=True)
class GenerationConfig:
    """How a text is drawn from a trained model, and where it ends."""

    length: Count = 200
    """Characters to write; a text ends there at the latest, also inside a word."""

    temperature: Annotated[float, Range(at_least=0, below=inf)] = 0.8
    """Below 1 plays safe, above 1 takes risks; 0 always takes the likeliest."""

    top_k: Count | None = None
    """Draw from this many likeliest tokens only."""

    top_p: Annotated[float, Range(above=0, at_most=1)] = 1.0
    """Draw from the fewest likeliest tokens that together have this probability."""

    min_p: Probability = 0.0
    """Draw from the tokens that have at least this share of the likeliest one's probability."""

    repetition_penalty: Annotated[float, Range(above=0, below=inf)] = 1.0
    """Above 1 makes what was written lately less likely; 1 does nothing."""

    repetition_window: Annotated[int, Range(at_least=1, at_most=MAX_REPETITION_WINDOW)] = 64
    """Tokens back to which the repetition penalty looks."""

    stop: str | None = None
    """End before this text; it is not written."""

    sentences: Count | None = None
    """End after this many sentences: at 。！？, with the closing quotes after them."""

    seed: Seed | None = None
    """The same seed writes the same text; when not given, a new one is drawn and told."""

    @classmethod
    def of(cls, **values: Any) -> "GenerationConfig":  # noqa: ANN401 - of any setting's type
        """Return settings by their names, and guess what was meant by one that there is not.

        Raises:
            UsageError: there is no setting of that name, or a value is out of range.
        """
        _require_known(values, (field.name for field in fields(cls)))
        return cls(**values)

    def __post_init__(self) -> None:
        _require_ranges(self)
        _require(self.stop != "", "stop", Message("empty"), Message("at least one character"))


SanityTask = Literal[
    "subtraction",
    "addition",
    "memory-cell",
    "scalar",
    "parity",
    "long-numbers",
    "copy-memory",
]


@dataclass(frozen=True)
class SanityConfig:
    """Which of the small tasks are run, and how."""

    task: tuple[SanityTask, ...] = ()
    """A task to run; can be given several times. All of them when not given."""

    ask: tuple[str, ...] = ()
    """A problem for the networks once they have learned their task: 123-61 with --task subtraction,
    45+27 with --task addition. Can be given several times."""

    model: Literal["scratch", "nn", "both"] = "both"
    """The LSTM written from scratch, torch's own layers (nn), or both."""

    seed: Seed = 0
    """Data, weights and orders follow from this number."""

    full: bool = False
    """The source documents' own epochs and sizes, for the tasks that come from them: many minutes
    instead of one. Only addition's learning rate is higher, since 0.001 comes to 97 to 99 %."""

    def __post_init__(self) -> None:
        _require_ranges(self)
        for task in self.task:
            _require(
                task in get_args(SanityTask),
                "task",
                task,
                Message("one of {choices}", choices=", ".join(get_args(SanityTask))),
            )


@dataclass(frozen=True)
class SearchConfig:
    """How many texts are written, or how widely the likeliest one is searched for."""

    samples: Annotated[int, Range(at_least=1, at_most=10_000)] = 1
    """Different texts to write, in one batch."""

    beam: Annotated[int, Range(at_least=1, at_most=1000)] | None = None
    """Search for the likeliest text instead of drawing one, and keep this many at every step."""

    def __post_init__(self) -> None:
        _require_ranges(self)

    def check(self, generation: GenerationConfig) -> None:
        """Check that the two fit together.

        Raises:
            UsageError: a flag would do nothing.
        """
        if self.beam is not None:
            usual = GenerationConfig()
            changed = [
                f"--{name.replace('_', '-')}"
                for name in _SAMPLING
                if getattr(generation, name) != getattr(usual, name)
            ]
            if self.samples != 1:
                changed.insert(0, "--samples")
            if changed:
                raise UsageError(
                    "--beam {beam} draws nothing at random: leave out {changed}",
                    beam=self.beam,
                    changed=", ".join(changed),
                )
        if self.samples > 1 and generation.temperature == 0:
            raise UsageError(
                "--samples {samples} with --temperature 0 would be the same text each time",
                samples=self.samples,
            )


_SAMPLING = (
    *("temperature", "top_k", "top_p", "min_p"),
    *("repetition_penalty", "repetition_window", "seed"),
)
"""The settings that say how a token is drawn."""


@dataclass(frozen=True)
class Settings:
    """All that a run was made with."""

    corpus: CorpusConfig = CorpusConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    reading: ReadingConfig = ReadingConfig()

    @classmethod
    def of(cls, **values: Any) -> "Settings":  # noqa: ANN401 - of any setting's type
        """Return settings from names alone: ``Settings.of(hidden_size=256, minutes=3)``.

        ``preset="classic"`` takes a named set of settings, and what else is given wins over it.

        Raises:
            UsageError: there is no setting or preset of that name, or a value is out of range.
        """
        preset = values.pop("preset", None)
        if preset is not None:
            _require(
                preset in PRESETS,
                "preset",
                preset,
                Message("one of {choices}", choices=", ".join(PRESETS)),
            )
            values = PRESETS[preset] | values
        parts = (CorpusConfig, ModelConfig, TrainingConfig, ReadingConfig)
        known = [[field.name for field in fields(part)] for part in parts]
        _require_known(values, ["preset", *chain(*known)])
        chosen = [{name: values[name] for name in names if name in values} for names in known]
        return cls(*(part(**names) for part, names in zip(parts, chosen, strict=True)))

    def __repr__(self) -> str:
        usual = Settings().flat()
        changed = (f"{k}={v!r}" for k, v in self.flat().items() if v != usual[k])
        return f"Settings.of({', '.join(changed)})"

    def flat(self) -> dict[str, Any]:
        """Undo ``of``: return every setting by its name alone."""
        return {name: value for part in asdict(self).values() for name, value in part.items()}

    def has_length(self) -> bool:
        """Return whether it is said how long to train."""
        return self.training.epochs is not None or self.training.minutes is not None

    def with_length(self, epochs: float | None = None, minutes: float | None = None) -> "Settings":
        """Return the same settings for another length of training, or for none."""
        return replace(self, training=replace(self.training, epochs=epochs, minutes=minutes))


PRESETS: dict[str, dict[str, Any]] = {
    # The source document: one-hot input, SGD at 1, N(0, 0.01²), 10,000 tokens, all trained on.
    "classic": {
        "max_tokens": 10_000,
        "held_out": 0.0,
        "embedding_size": 0,
        "hidden_size": 256,
        "num_networks": 1,
        "counts": False,
        "softmax": "full",
        "dropout": 0.0,
        "recurrent_dropout": 0.0,
        "label_smoothing": 0.0,
        "init_std": 0.01,
        "batches": "sequential",
        "batch_size": 32,
        "num_steps": 35,
        "optimizer": "sgd",
        "learning_rate": 1.0,
        "schedule": "constant",
        "warmup": 0.0,
        "clip": 1.0,
        "precision": "float32",
        "epochs": 1000.0,
        "evaluate_every": 80,  # ten epochs of eight batches
        "patience": 0,
    },
}
"""Named sets of settings; a flag or a TOML file overrides them."""
