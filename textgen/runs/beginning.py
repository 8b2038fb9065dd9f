"""What a run gives to a training that begins with it: its weights, its vocabulary, its text."""

import logging
from dataclasses import asdict, dataclass, fields, replace
from hashlib import sha256

from textgen.config import ModelConfig, Settings
from textgen.counts.excerpt import Excerpt
from textgen.errors import UsageError
from textgen.runs.folder import Run
from textgen.runs.stores import store_of
from textgen.runs.trained import read_best
from textgen.runs.weights import Weights
from textgen.text.vocab import Vocab

log = logging.getLogger(__name__)

_SHAPE = ("cell", "hidden_size", "embedding_size", "num_layers", "num_networks", "tie", "shortcut")
"""The settings that weights are of."""


@dataclass(frozen=True)
class Beginning:
    """A run to begin with. Nothing of it is changed."""

    name: str
    vocab: Vocab
    model: ModelConfig
    weights: Weights

    text: str
    """What it learned from, of a store what was counted of it: that goes on being counted. Nothing
    where it is gone."""

    @classmethod
    def of(cls, run: Run) -> "Beginning":
        """Read a run.

        Raises:
            TextgenError: it has no checkpoint yet, or its files do not belong together.
        """
        if (items := run.settings.corpus.items) is not None:
            raise UsageError(
                "{name} learned with --items {items}: nothing can begin with it",
                name=run.name,
                items=items,
            )
        return cls(run.name, run.vocab, run.settings.model, read_best(run), _learned_text(run))

    @property
    def known_by(self) -> dict[str, str]:
        """The run's name, and the SHA-256 of its network's weights and their names."""
        digest = sha256()
        for name, values in sorted(self.weights.network.items()):
            digest.update(name.encode())
            digest.update(values.tobytes())
        return {"name": self.name, "sha256": digest.hexdigest()}

    def fitted(self, settings: Settings) -> Settings:
        """Return settings with the network's shape, as far as they leave it open.

        Raises:
            UsageError: they are of another kind of token, or of another shape.
        """
        if settings.corpus.items is not None:
            raise UsageError("--items and --from cannot go together: leave one of them out")
        kind = settings.corpus.tokens
        if kind != self.vocab.kind:
            raise UsageError(
                "--tokens is {kind}, and that of {name} is {its}: the two cannot go together",
                kind=kind,
                name=self.name,
                its=self.vocab.kind,
            )
        usual = {field.name: field.default for field in fields(ModelConfig)}
        own = {name: getattr(self.model, name) for name in _SHAPE}
        own |= {name: value for name, value in asdict(self.model.resolved()).items() if name in own}
        for name, value in own.items():
            given = getattr(settings.model, name)
            if given not in (usual[name], value):
                raise UsageError(
                    "--{flag} is {given}, and the network of {name} has {value}: leave it out",
                    flag=name.replace("_", "-"),
                    given=given,
                    name=self.name,
                    value=value,
                )
        return replace(settings, model=replace(settings.model, **own))


def _learned_text(run: Run) -> str:
    if (run.folder / "text.txt").exists():
        return run.learned_text()
    if (store := store_of(run)) is not None:
        counted = Excerpt.of(len(store.training), run.plan.counted)
        return store.text_of(counted.take(store.training.written))
    if run.settings.model.counts:
        log.warning("%s has no text.txt: what it learned from cannot be counted here", run.name)
    return ""
