"""torch's optimisers without its compiler.

torch's own import ``torch._dynamo`` as soon as one is made, so that it does not compile them: about
two seconds of the processor's time before the first step. Here nothing is compiled.
"""

from inspect import unwrap

import torch


class Eager(torch.optim.Optimizer):
    """An optimiser whose methods are torch's, without what keeps a compiler off them."""

    # torch marks what it wraps by __wrapped__; what it has not wrapped is as it was.
    add_param_group = unwrap(torch.optim.Optimizer.add_param_group)
    load_state_dict = unwrap(torch.optim.Optimizer.load_state_dict)
    state_dict = unwrap(torch.optim.Optimizer.state_dict)
    zero_grad = unwrap(torch.optim.Optimizer.zero_grad)


class Adam(Eager, torch.optim.Adam):
    """torch's Adam."""

    step = torch.no_grad()(unwrap(torch.optim.Adam.step))


class AdamW(Eager, torch.optim.AdamW):
    """torch's AdamW."""

    step = torch.no_grad()(unwrap(torch.optim.AdamW.step))
