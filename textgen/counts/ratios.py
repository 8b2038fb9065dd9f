"""What the experts say as one tensor (R, J, V), nearly all of it zeros: its products, by torch.

Shapes: R places, J experts, V vocabulary.
"""

import torch
from torch import Tensor

from textgen.counts.experts import Experts


class Ratios:
    """The experts' phi, each less its constant.

    Args:
        experts: what they say at R places.
        like: of the type and on the device to compute in.
    """

    def __init__(self, experts: Experts, like: Tensor) -> None:
        self._histories = [
            (torch.from_numpy(one.keys), torch.from_numpy(one.rows), torch.from_numpy(one.values))
            for one in experts.histories
        ]
        if like.device.type != "cpu":
            self._histories = [
                (keys.to(like.device), rows.to(like.device), values.to(like.device))
                for keys, rows, values in self._histories
            ]
        self._windows = torch.from_numpy(experts.windows).to(like)
        self._groups = experts.groups
        self.log_frequencies = torch.from_numpy(experts.log_frequencies).to(like)
        """log u, (V,)."""
        self.constants = torch.from_numpy(experts.constants).to(like)
        """(R, J)."""

    def add_to(
        self, sums: Tensor, weights: Tensor | None = None, experts: slice = slice(None)
    ) -> Tensor:
        """Add the sum over the experts to ``sums`` (R, V), in place, and return it.

        Args:
            sums: what is added to.
            weights: of each expert, (R, J); all 1 when not given.
            experts: those that are summed over.
        """
        flat, count = sums.view(-1), len(self._histories)
        chosen = range(*experts.indices(self.constants.shape[1]))
        for one in chosen:
            if one < count:
                keys, rows, values = self._histories[one]
                if weights is not None:
                    values = weights[:, one].index_select(0, rows).mul_(values)
                flat.index_add_(0, keys, values)
        if of_windows := [one - count for one in chosen if one >= count]:
            begin = of_windows[0]
            for group, windows in zip(self._groups, self._windows[:, begin:], strict=True):
                if weights is None:
                    sums[group].add_(windows[: len(of_windows)].sum(dim=0))
                else:
                    sums[group].addmm_(weights[group, count + begin :], windows)
        return sums

    def expected(self, probabilities: Tensor) -> Tensor:
        """Return the sums over V, weighted by probabilities (R, V), of each expert: (R, J)."""
        flat = probabilities.view(-1)
        sums = [
            flat.new_zeros(len(probabilities)).index_add_(
                0, rows, flat.index_select(0, keys).mul_(values)
            )
            for keys, rows, values in self._histories
        ]
        of_windows = [
            probabilities[group] @ windows.t()
            for group, windows in zip(self._groups, self._windows, strict=True)
        ]
        return torch.cat([torch.stack(sums, dim=1), torch.cat(of_windows)], dim=1)

    def of(self, tokens: Tensor) -> Tensor:
        """Return what each expert says of one token at each place (R,): (R, J)."""
        wanted = torch.arange(len(tokens), device=tokens.device) * self._windows.shape[2] + tokens
        said = []
        for keys, _, values in self._histories:
            of_one = values.new_zeros(len(tokens))
            if len(keys):
                at = torch.searchsorted(keys, wanted).clamp_(max=len(keys) - 1)
                of_one = torch.where(keys[at] == wanted, values[at], of_one)
            said.append(of_one)
        of_windows = [
            windows[:, tokens[group]].t()
            for group, windows in zip(self._groups, self._windows, strict=True)
        ]
        return torch.cat([torch.stack(said, dim=1), torch.cat(of_windows)], dim=1)
