"""A language model's step over one token, without its modules.

Shapes: B texts, V vocabulary, L layers, E embedding size, H hidden size.

For so little work the way through the modules costs more than the work: for one text the calls,
the state's packing and a matmul that reads its matrix against the grain. So what can be computed
once is: the first layer's part of the gates, W x + both biases, is a table with a row for each
token, the shortcut's part of the features another, and the matrices lie as a product of few rows
wants them. The result is the modules' own to rounding. Projection and tied output stay two
matrices, of (H + V) E numbers: the one that they make together has H V, twice as many by default,
and takes twice as long.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from textgen.model.language_model import LanguageModel
from textgen.model.state import State

SingleStep = Callable[[Tensor, State], tuple[Tensor, Tensor, State]]
"""From the ids (B,) of a token of each text and the state before, each tensor (L, B, H), to the
logits (B, V) of the next token, what the output layer read for them (B, E), and the state after."""

_LARGEST_TABLE = 2**25
"""Numbers in the table of gates, 256 MB in float64; a larger one takes long to make."""


def single_step(model: LanguageModel) -> SingleStep:
    """Return the fastest step of a model, which stays as it is: an LSTM's own, else the modules'.

    Args:
        model: the language model, without dropout (``eval()``). Later changes of its weights may
            go unseen.
    """
    gates = model.vocab_size * 4 * model.hidden_size
    plain = model.rnn.bias and not model.rnn.proj_size  # as all that a run folder describes are
    if model.config.cell == "lstm" and plain and gates <= _LARGEST_TABLE:
        return LSTMStep(model)

    def through_the_modules(ids: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        features, state = model.features(ids[:, None], state)
        return model.output(features)[:, 0], features[:, 0], state

    return through_the_modules


class LSTMStep:
    """The step of either model with LSTM layers; see ``SingleStep``.

    Args:
        model: the language model.
    """

    @torch.inference_mode()
    def __init__(self, model: LanguageModel) -> None:
        weights = dict(model.rnn.named_parameters())
        layers = range(model.config.num_layers)
        w_ih, w_hh, b_ih, b_hh = (
            [weights[f"{name}_l{layer}"].detach() for layer in layers]
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        bias = [of_input + of_hidden for of_input, of_hidden in zip(b_ih, b_hh, strict=True)]
        first = w_ih[0].t()
        if model.embedding is None:  # one-hot: a row of the weights
            self.table = first.contiguous() + bias[0]
        else:
            self.table = torch.addmm(bias[0], model.embedding.weight, first)
        self.of_hidden = [weight.t().contiguous() for weight in w_hh]
        self.of_input = [
            (above, weight.t().contiguous())
            for above, weight in zip(bias[1:], w_ih[1:], strict=True)
        ]
        has_projection = any(True for _ in model.projection.parameters())
        self.projection = _bias_and_weight(model.projection) if has_projection else None
        self.shortcut = None
        if model.embedding is not None and model.shortcut is not None:
            self.shortcut = model.shortcut(model.embedding.weight)
        self.output = _bias_and_weight(model.output)

    def __call__(self, ids: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Return the logits of the next token, the features, and the state after ``ids``."""
        hiddens: list[Tensor] = []
        memories: list[Tensor] = []
        for layer, (h, c) in enumerate(zip(state[0].unbind(), state[1].unbind(), strict=True)):
            if layer == 0:
                gates = self.table.index_select(0, ids)
            else:
                bias, weight = self.of_input[layer - 1]
                gates = torch.addmm(bias, hiddens[-1], weight)
            gates.addmm_(h, self.of_hidden[layer])
            i, f, before_g, o = gates.chunk(4, dim=1)
            g = before_g.tanh()
            gates.sigmoid_()  # in one go, though nobody needs the candidate's
            memory = (f * c).addcmul_(i, g)
            memories.append(memory)
            hiddens.append(memory.tanh().mul_(o))
        features = hiddens[-1]
        if self.projection is not None:
            bias, weight = self.projection
            features = torch.addmm(bias, features, weight)
        if self.shortcut is not None:
            features = features + self.shortcut.index_select(0, ids)
        bias, weight = self.output
        logits = torch.addmm(bias, features, weight)
        return logits, features, (torch.stack(hiddens), torch.stack(memories))


def _bias_and_weight(layer: nn.Module) -> tuple[Tensor, Tensor]:
    bias, weight = layer.get_parameter("bias"), layer.get_parameter("weight")
    return bias.detach(), weight.detach().t().contiguous()
