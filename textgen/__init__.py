"""Teach a small LSTM a Chinese novel, character by character, on your own machine.

Everything here is loaded when it is first used: ``import textgen`` does not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textgen.batches import RandomBatches as RandomBatches
    from textgen.batches import SequentialBatches as SequentialBatches
    from textgen.config import GenerationConfig as GenerationConfig
    from textgen.config import ModelConfig as ModelConfig
    from textgen.config import Settings as Settings
    from textgen.errors import TextgenError as TextgenError
    from textgen.generation import generate as generate
    from textgen.lstm import LSTM as LSTM
    from textgen.models import RNNModel as RNNModel
    from textgen.models import RNNModelScratch as RNNModelScratch
    from textgen.session import resume as resume
    from textgen.session import train as train
    from textgen.trained import evaluate as evaluate
    from textgen.trained import load as load
    from textgen.vocab import Vocab as Vocab

_HOMES = {
    "LSTM": "lstm",
    "GenerationConfig": "config",
    "ModelConfig": "config",
    "RNNModel": "models",
    "RNNModelScratch": "models",
    "RandomBatches": "batches",
    "SequentialBatches": "batches",
    "Settings": "config",
    "TextgenError": "errors",
    "Vocab": "vocab",
    "evaluate": "trained",
    "generate": "generation",
    "load": "trained",
    "resume": "session",
    "train": "session",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - a list of strings all the same


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _HOMES:
        raise AttributeError(f"module 'textgen' has no attribute {name!r}")
    return getattr(import_module(f"textgen.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
