from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from textgen.model.loss import ALWAYS, Classes, draw_classes, linear_cross_entropy

V = ALWAYS + 300


def draw(count: int, vocab_size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    targets = torch.randint(vocab_size, (count,), generator=generator)
    return random(count, 8), random(vocab_size, 8), random(vocab_size), targets


@pytest.mark.parametrize("count", [1, 50, 1100])  # the last in three chunks
def test_over_all_classes_it_is_the_cross_entropy(count: int) -> None:
    features, weight, bias, targets = draw(count, 37)
    expected = functional.cross_entropy(functional.linear(features, weight, bias), targets)
    found = linear_cross_entropy(features, weight, bias, targets)
    torch.testing.assert_close(found, expected)
    inputs = [features, weight, bias]
    for ours, theirs in zip(
        torch.autograd.grad(3 * found, inputs),
        torch.autograd.grad(3 * expected, inputs),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


def test_label_smoothing_changes_the_gradient_but_not_what_is_told() -> None:
    features, weight, bias, targets = draw(700, 37)
    logits = functional.linear(features, weight, bias)
    found = linear_cross_entropy(features, weight, bias, targets, label_smoothing=0.2)
    torch.testing.assert_close(found, functional.cross_entropy(logits, targets))
    smoothed = functional.cross_entropy(logits, targets, label_smoothing=0.2)
    inputs = [features, weight, bias]
    torch.testing.assert_close(*(torch.autograd.grad(loss, inputs) for loss in (found, smoothed)))


def weighted(logits: Tensor, targets: Tensor, classes: Classes) -> Tensor:
    """Return the chosen classes' logits with their weights, and without at a row's own target."""
    own = classes.ids[None] == targets[:, None]
    chosen = logits[:, classes.ids]
    return torch.where(own, chosen, chosen + classes.log_weights)


def test_over_some_classes_it_is_the_cross_entropy_of_those() -> None:
    features, weight, bias, targets = draw(60, V)
    classes = draw_classes(targets, V)
    logits = weighted(functional.linear(features, weight, bias), targets, classes)
    expected = functional.cross_entropy(logits, classes.places[targets])
    found = linear_cross_entropy(features, weight, bias, targets, classes)
    torch.testing.assert_close(found, expected)
    inputs = [features, weight, bias]
    torch.testing.assert_close(*(torch.autograd.grad(loss, inputs) for loss in (found, expected)))


def test_the_expected_sum_is_the_whole_one() -> None:
    torch.manual_seed(0)
    features, weight, bias, targets = draw(20, V)
    logits = functional.linear(features, weight / 4, bias).detach()
    draws = [
        weighted(logits, targets, draw_classes(targets, V)).exp().sum(dim=1) for _ in range(2000)
    ]
    ratio = torch.stack(draws).mean(dim=0) / logits.exp().sum(dim=1)
    torch.testing.assert_close(ratio, torch.ones_like(ratio), rtol=0, atol=0.05)


def test_every_target_is_among_the_classes_and_the_frequent_ones_are_whole() -> None:
    targets = torch.tensor([0, V - 1, V - 2, 5])
    classes = draw_classes(targets, V)
    assert (classes.ids[classes.places[targets]] == targets).all()
    assert classes.ids[:ALWAYS].tolist() == list(range(ALWAYS))
    assert (classes.log_weights[:ALWAYS] == 0).all()
    others = classes.log_weights[ALWAYS:]
    drawn = others[others.isfinite()]
    assert 20 < len(drawn) < 100
    torch.testing.assert_close(drawn.exp(), torch.full_like(drawn, 1 / 0.2))


def test_buffers_of_other_sizes_and_types_do_not_meet() -> None:
    for dtype, vocab_size in ((torch.float64, 37), (torch.float32, 5), (torch.float64, 400)):
        features, weight, bias, targets = (
            tensor.detach().to(dtype if tensor.is_floating_point() else tensor.dtype)
            for tensor in draw(9, vocab_size)
        )
        expected = functional.cross_entropy(functional.linear(features, weight, bias), targets)
        torch.testing.assert_close(linear_cross_entropy(features, weight, bias, targets), expected)


def test_two_threads_do_not_write_into_each_others_logits() -> None:
    features, weight, bias, targets = (tensor.detach() for tensor in draw(500, 2000))
    expected = linear_cross_entropy(features, weight, bias, targets)

    def losses(_: int) -> list[Tensor]:
        return [linear_cross_entropy(features, weight, bias, targets) for _ in range(10)]

    with ThreadPoolExecutor(2) as threads:
        for found in threads.map(losses, range(2)):
            assert all(torch.equal(loss, expected) for loss in found)
