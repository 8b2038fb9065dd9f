"""The two language models on recurrent layers: one contract, one checkpoint format.

Shapes: B batch, T steps, V vocabulary, E embedding size, H hidden size, L layers.
"""

from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from textgen.config import Implementation, ModelConfig
from textgen.errors import UsageError
from textgen.model.framework import adopt, cell_of, recurrent_layers
from textgen.model.language_model import LanguageModel
from textgen.model.layers import RecurrentLayers
from textgen.model.loss import ALWAYS, draw_classes, linear_cross_entropy
from textgen.model.state import State

_UNSEEN = 0.3
"""What is added to every token's count: one that does not occur in training is not impossible."""


class Network(LanguageModel):
    """Embedding (or one-hot input), recurrent layers, output; the subclasses name the middle.

    Args:
        vocab_size: V.
        config: the shape; every setting is explained there. The number of networks is an
            ensemble's, and not looked at.
    """

    implementation: ClassVar[Implementation]
    """Whose recurrent layers it is made of."""

    def __init__(self, vocab_size: int, config: ModelConfig) -> None:
        super().__init__(vocab_size, config)
        resolved = self.resolved
        hidden_size, embedding_size = resolved.hidden_size, resolved.embedding_size
        one_hot = embedding_size == 0
        self.embedding = None if one_hot else nn.Embedding(vocab_size, embedding_size)
        self.rnn = recurrent_layers(
            self.implementation,
            config.cell,
            vocab_size if one_hot else embedding_size,
            hidden_size,
            config.num_layers,
            resolved.dropout,
            resolved.recurrent_dropout,
        )
        self.dropout = LockedDropout(resolved.dropout)
        tied = config.tie and self.embedding is not None
        # A tied output needs features of the embedding's size.
        resize = tied and hidden_size != embedding_size
        self.projection = nn.Linear(hidden_size, embedding_size) if resize else nn.Identity()
        num_features = embedding_size if tied else hidden_size
        # Graves (2013), chapter 2: the gates need not remember what was read just now.
        self.shortcut = (
            nn.Linear(embedding_size, num_features, bias=False)
            if config.shortcut and not one_hot
            else None
        )
        self.output = nn.Linear(num_features, vocab_size)
        if self.embedding is not None and tied:
            self.output.weight = self.embedding.weight
        self.reset_parameters()
        if one_hot:
            self.rnn.expect_ids()

    @classmethod
    def from_layer(cls, rnn_layer: nn.RNNBase | RecurrentLayers, vocab_size: int) -> Self:
        """Return the source document's network on a ready layer: one-hot in, one linear layer out.

        The layer's parameters stay the same ones, with the values that they have. One that reads in
        both directions gives logits; but it can be taught nothing and cannot write.

        Args:
            rnn_layer: torch's, or one from scratch; its input size is V.
            vocab_size: V.

        Raises:
            UsageError: the layer is of another size, or no recurrent layer.
        """
        layer = adopt(rnn_layer)
        if layer.input_size != vocab_size:
            raise UsageError(
                "the ready layer has input_size {input_size:,}: it must be the vocabulary's "
                "{vocab_size:,}, since it reads one-hot vectors",
                input_size=layer.input_size,
                vocab_size=vocab_size,
            )
        config = ModelConfig(
            cell=cell_of(layer),
            embedding_size=0,
            hidden_size=layer.hidden_size,
            num_layers=layer.num_layers,
        )
        model = cls(vocab_size, config)
        layer.expect_ids()
        model.rnn = layer
        width = layer.proj_size or layer.hidden_size
        model.output = nn.Linear(2 * width if layer.bidirectional else width, vocab_size)
        return model

    def require_one_direction(self) -> None:
        """Refuse a layer that reads in both directions; see ``LanguageModel``."""
        if self.rnn.bidirectional:
            raise UsageError(
                "a bidirectional layer has read what comes next, so there is nothing for it to "
                "predict: to train a language model, or to write, take bidirectional=False"
            )

    def reset_parameters(self) -> None:
        """Draw the weights; both models draw the same ones from the same seed."""
        std = self.config.init_std
        for name, parameter in self.named_parameters():
            if std is not None:
                weight = parameter.dim() > 1
                nn.init.normal_(parameter, std=std) if weight else nn.init.zeros_(parameter)
            elif name.startswith("embedding"):
                nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5)
            elif name in ("output.bias", "shortcut.weight") or name.startswith("rnn.bias"):
                nn.init.zeros_(parameter)
            if std is None and self.config.cell == "lstm" and name.startswith("rnn.bias_ih"):
                # Forget gates that begin open: Jozefowicz et al. (2015), chapter 2.2.
                nn.init.ones_(parameter.detach().chunk(4)[1])

    @property
    def num_features(self) -> int:
        """What the output layer reads: H, or E where its weights are the embedding's."""
        return self.output.in_features

    def begin_state(self, batch_size: int, device: torch.device | str | None = None) -> State:
        """Return the state of zeros before the first token, each tensor (L, B, H)."""
        return tuple(part.to(device) for part in self.rnn.begin_state(batch_size))

    def features(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return what the output layer reads, (B, T, H or E), and the new state."""
        inputs = tokens if self.embedding is None else self.dropout(self.embedding(tokens))
        hidden, new_state = self.rnn(inputs, state)
        features = self.projection(self.dropout(hidden))
        if self.shortcut is not None:
            features = features + self.shortcut(inputs)
        return features, new_state

    def logits(self, features: Tensor) -> Tensor:
        """Return the logits (..., V) of each next token."""
        logits: Tensor = self.output(features)
        return logits

    def cross_entropy(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy in nats of targets (B, T).

        In training with ``softmax="sampled"`` it is an estimate, see ``textgen.model.loss``.
        """
        ids = targets.flatten().long()
        smoothing = self.resolved.label_smoothing if self.training else 0.0
        sampled = self.training and self.config.softmax == "sampled" and not smoothing
        # On a GPU, the whole sum costs less than finding out which classes were drawn.
        if sampled and self.vocab_size > 2 * ALWAYS and ids.device.type == "cpu":
            classes = draw_classes(ids, self.vocab_size)
        else:
            classes = None
        rows = features.flatten(0, 1)
        weight, bias = self.output.weight, self.output.bias
        return linear_cross_entropy(rows, weight, bias, ids, classes, smoothing)

    @torch.no_grad()
    def expect(self, occurring: Tensor) -> None:
        """Begin with the frequencies of a text, in place of learning them."""
        counts = occurring.to(self.output.bias)
        frequencies = (counts + _UNSEEN) / (counts + _UNSEEN).sum()
        self.output.bias.copy_(frequencies.log())

    def take_rows(self, among: tuple[int, slice] | None) -> None:
        """Drop what is dropped as one process does; see ``LanguageModel``."""
        self.dropout.among = among


class LockedDropout(nn.Module):
    """Dropout that drops the same values at every step of a row: Gal & Ghahramani (2016).

    Args:
        share: of the values dropped in training.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.among: tuple[int, slice] | None = None
        """Of how many rows which ones the inputs are, where other ranks have the others: then each
        row has what it would have in one process."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (B, T, anything) with some values 0 and the others scaled up, in training."""
        if not self.training or self.share == 0:
            return inputs
        if self.among is None:
            kept = torch.ones_like(inputs[:, :1])
            return inputs * functional.dropout(kept, self.share)
        count, rows = self.among
        kept = inputs.new_ones(count, 1, inputs.shape[2])
        return inputs * functional.dropout(kept, self.share)[rows]


class RNNModelScratch(Network):
    """The language model on this project's own LSTM, GRU or plain RNN."""

    implementation = "scratch"


class RNNModel(Network):
    """The language model on ``nn.LSTM``, ``nn.GRU`` or ``nn.RNN``."""

    implementation = "nn"


MODELS: dict[str, type[Network]] = {"nn": RNNModel, "scratch": RNNModelScratch}
"""The values of ``--model``."""
