"""The LSTM's equations over all steps, faster: forwards and backwards by hand.

Shapes: B batch, T steps, H hidden size. The equations stand in ``lstm.py``.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from textgen.model.precision import add_product, compute_dtype


class Recurrence(Function):
    """The equations above over all steps, and their gradient by hand.

    Autograd finds the same gradient of ``plain_recurrence``, and takes a sixth longer with 256
    units, a third with 512 (docs/performance.md). Here a step's results are written into one
    memory for all steps, and what does not depend on the step before is computed for all steps at
    once, the gradient of W_h with one matmul in place of T.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        projected: Tensor,
        hidden_before: Tensor,
        memory_before: Tensor,
        weight_hh: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Go through all steps.

        Args:
            ctx: where what the gradient needs is kept.
            projected: the input's part of the gates, X_t W_x + b, (T, B, 4H).
            hidden_before: H_0, (B, H).
            memory_before: C_0, (B, H).
            weight_hh: W_h of the four gates, (4H, H).

        Returns:
            The hidden states (T, B, H), the last one, and the last memory, both (B, H).
        """
        num_steps, batch_size, _ = projected.shape
        shape = (batch_size, weight_hh.shape[1])
        gates = torch.empty_like(projected, memory_format=torch.contiguous_format)
        hidden = projected.new_empty(num_steps + 1, *shape)
        memory = projected.new_empty(num_steps + 1, *shape)
        candidate, squashed = projected.new_empty(2, num_steps, *shape)
        hidden[0], memory[0] = hidden_before, memory_before
        ctx.dtype = compute_dtype(weight_hh)
        weight = weight_hh.t().to(ctx.dtype)
        if num_steps > 1:
            weight = weight.contiguous()  # so many matmuls are faster for it

        c, h = memory.unbind(), hidden.unbind()
        i, f, before_g, o = (gate.unbind() for gate in gates.chunk(4, dim=2))
        g, tanh_c = candidate.unbind(), squashed.unbind()
        for t, (x, gate) in enumerate(zip(projected.unbind(), gates.unbind(), strict=True)):
            add_product(x, h[t], weight, out=gate)
            torch.tanh(before_g[t], out=g[t])
            gate.sigmoid_()  # in one go, though nobody needs the candidate's
            torch.mul(f[t], c[t], out=c[t + 1]).addcmul_(i[t], g[t])
            torch.tanh(c[t + 1], out=tanh_c[t])
            torch.mul(o[t], tanh_c[t], out=h[t + 1])
        ctx.save_for_backward(gates, hidden, memory, candidate, squashed, weight_hh)
        return hidden[1:], h[-1], c[-1]

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any,  # noqa: ANN401
        d_hidden: Tensor,
        d_last: Tensor,
        d_memory: Tensor,
    ) -> tuple[Tensor, ...]:
        """Go back through all steps; ``d_`` is the gradient of the loss by what is named.

        dC_t = dC_{t+1} * F_{t+1} + dH_t * O_t * (1 - tanh(C_t)^2), and each gate's own gradient,
        before its sigmoid s or tanh, is dC_t or dH_t times what stood beside it in the equations
        and times s (1 - s) or 1 - tanh^2.
        """
        gates, hidden, memory, candidate, squashed, weight_hh = ctx.saved_tensors
        i, f, _, o = gates.chunk(4, dim=2)
        # All but dC_t and dH_t, for all steps at once.
        d_gates = torch.addcmul(gates, gates, gates, value=-1)
        d_i, d_f, d_g, d_o = d_gates.chunk(4, dim=2)
        d_i.mul_(candidate)
        d_f.mul_(memory[:-1])
        torch.addcmul(i, i, candidate * candidate, value=-1, out=d_g)
        d_o.mul_(squashed)
        d_c_by_d_h = torch.addcmul(o, o, squashed * squashed, value=-1)

        d_h = d_hidden.clone(memory_format=torch.contiguous_format)
        d_h[-1] += d_last
        d_c = d_memory.clone()
        weight = weight_hh.to(ctx.dtype)
        d_i_f_g = d_gates.unflatten(2, (4, -1))[:, :, :3]
        for t in reversed(range(len(d_h))):
            d_c.addcmul_(d_h[t], d_c_by_d_h[t])
            d_i_f_g[t].mul_(d_c[:, None])
            d_o[t].mul_(d_h[t])
            d_c.mul_(f[t])
            if t > 0:
                add_product(d_h[t - 1], d_gates[t], weight, out=d_h[t - 1])
        d_h_before = d_gates[0] @ weight_hh
        d_weight = d_gates.flatten(0, 1).t().to(ctx.dtype) @ hidden[:-1].flatten(0, 1).to(ctx.dtype)
        return d_gates, d_h_before, d_c, d_weight.to(weight_hh.dtype)
