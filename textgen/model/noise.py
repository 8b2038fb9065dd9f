"""Noise in what a network reads while it learns: now and then a token is read as another one.

So it learns not to hang everything on the one token before, as a count is smoothed that was seen
once: Xie et al. (2017), "Data Noising as Smoothing in Neural Network Language Models", which takes
both numbers from Kneser-Ney. A token is taken for another the more often, the more kinds follow it
for each time that it stands in the text; and the other is drawn by how many kinds it follows, since
what stands after everything could stand here as well. What is to be predicted stays as it is.

Shapes: B rows, T steps, V vocabulary.
"""

import torch
from torch import Tensor, nn


class InputNoise(nn.Module):
    """Tokens in, tokens out; the same ones until ``expect`` was told of a text, and when judging.

    Args:
        share: of a token that stands once, or is followed by another one each time.
        vocab_size: V.
    """

    chance: Tensor
    """That a token is read as another one, (V,)."""

    up_to: Tensor
    """That the other is this one or one before it, (V,)."""

    def __init__(self, share: float, vocab_size: int) -> None:
        super().__init__()
        self.share = share
        # No weights: who goes on with a checkpoint has its text, too.
        self.register_buffer("chance", torch.zeros(vocab_size), persistent=False)
        self.register_buffer("up_to", torch.ones(vocab_size), persistent=False)

    def expect(self, occurring: Tensor, follow: Tensor, precede: Tensor) -> None:
        """Take the chances from a text.

        Args:
            occurring: how often each token stands there, (V,).
            follow: how many kinds follow it, (V,).
            precede: how many kinds it follows, (V,).
        """
        self.chance.copy_(self.share * follow / occurring.clamp(min=1))
        self.up_to.copy_(precede.double().cumsum(0) / max(1, int(precede.sum())))

    def forward(self, tokens: Tensor, among: tuple[int, slice] | None = None) -> Tensor:
        """Return tokens (B, T), some of them others in training.

        Args:
            tokens: ids.
            among: of how many rows which ones they are, where other ranks have the others.
        """
        if not self.training or self.share == 0:
            return tokens
        count, rows = among or (len(tokens), slice(None))
        drawn = torch.rand(2, count, tokens.shape[1], device=tokens.device)[:, rows]
        others = torch.searchsorted(self.up_to, drawn[1].contiguous(), right=True)
        others.clamp_(max=len(self.up_to) - 1)
        return torch.where(drawn[0] < self.chance[tokens.long()], others.to(tokens.dtype), tokens)
