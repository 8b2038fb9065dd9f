"""Document C's training."""

from dataclasses import replace

import numpy as np
import torch
from baselines import GATES, GateByGate, SumsOneByOne, count_right, train_sums
from torch.utils.data import DataLoader

from benchmarks.timing import Clock, Row
from textgen.model.lstm import LSTM
from textgen.runs.progress import Position
from textgen.sanity import addition
from textgen.sanity.binary import to_numbers
from textgen.sanity.examples import Examples, ShuffledBatches
from textgen.sanity.trial import plain_adam
from textgen.training.loop import make_optimizer, train_steps


def sums(_text: str, clock: Clock) -> list[Row]:
    """Train on a tenth of document C's sums and count the right ones, against its own way."""
    trained, tested = 8_000, 2_000
    examples = addition.draw(np.random.default_rng(0), trained + tested)
    training, test = examples.split(trained)
    a, b = (to_numbers(examples.x[:, operand].flip(1)).tolist() for operand in (0, 1))
    pairs = list(zip(a, b, strict=True))
    theirs = GateByGate(8, 32, 8)
    ours = addition.make_network(LSTM(8, 32))
    _copy(theirs, ours.rnn, ours.output)
    config = plain_adam(learning_rate=0.001, batch_size=64)
    batches = ShuffledBatches(training, 64, seed=0)
    our_optimizer = make_optimizer(ours, config)
    their_optimizer = torch.optim.Adam(theirs.parameters(), lr=0.001)

    def our_losses(batches: ShuffledBatches) -> list[float]:
        steps = train_steps(
            ours, batches, our_optimizer, config, batches.num_batches(0), Position()
        )
        return [float(step.loss) for step in steps]

    # The same model: from the same weights, the same batches give the same losses.
    few = Examples(training.x[:640], training.y[:640])
    same = ShuffledBatches(few, 64, seed=0)
    expected = train_sums(theirs, their_optimizer, same.epoch(0))
    np.testing.assert_allclose(our_losses(same), expected, rtol=1e-3)

    def our_way() -> object:
        our_losses(batches)
        with torch.no_grad():
            return addition.share_right(ours, test)

    def their_way() -> object:
        loader = DataLoader(SumsOneByOne(pairs[:trained]), batch_size=64, shuffle=True)
        train_sums(theirs, their_optimizer, loader)
        return count_right(theirs, pairs[trained:])

    row = Row("document C's epoch", *clock.compare(our_way, their_way), 5.0)
    return [replace(row, note=f"{10 * row.ours:.1f} s and {10 * row.baseline:.1f} s an epoch")]


def _copy(theirs: GateByGate, layers: torch.nn.Module, output: torch.nn.Module) -> None:
    """Give our layers the weights of document C's; of our two biases one is not learned."""
    stacked = {
        "weight_ih_l0": [theirs.of_input[gate].t() for gate in GATES],
        "weight_hh_l0": [theirs.of_hidden[gate].t() for gate in GATES],
        "bias_ih_l0": [theirs.bias[gate] for gate in GATES],
        "bias_hh_l0": [torch.zeros_like(theirs.bias[gate]) for gate in GATES],
    }
    layers.load_state_dict({name: torch.cat(parts) for name, parts in stacked.items()})
    layers.get_parameter("bias_hh_l0").requires_grad = False
    output.load_state_dict(theirs.output.state_dict())
