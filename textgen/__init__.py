"""Teach a small LSTM a Chinese novel, character by character, on your own machine.

Everything here is loaded when it is first used: ``import textgen`` does not import torch.
"""

from textgen.runs.pictured import Pictured

TYPE_CHECKING = False  # imported, it would take longer than all that stands here
if TYPE_CHECKING:
    from typing import Any

    from textgen.config import CorpusConfig as CorpusConfig
    from textgen.config import GenerationConfig as GenerationConfig
    from textgen.config import ModelConfig as ModelConfig
    from textgen.config import Settings as Settings
    from textgen.config import TrainingConfig as TrainingConfig
    from textgen.errors import TextgenError as TextgenError
    from textgen.evaluation.judge import evaluate as evaluate
    from textgen.evaluation.perplexity import Evaluation as Evaluation
    from textgen.model.gru import GRU as GRU
    from textgen.model.lstm import LSTM as LSTM
    from textgen.model.network import RNNModel as RNNModel
    from textgen.model.network import RNNModelScratch as RNNModelScratch
    from textgen.model.rnn import RNN as RNN
    from textgen.reading.loading import load_batches as load_batches
    from textgen.runs.folder import Run as Run
    from textgen.text.batches import RandomBatches as RandomBatches
    from textgen.text.batches import SequentialBatches as SequentialBatches
    from textgen.text.vocab import Vocab as Vocab
    from textgen.training.loop import SGD as SGD
    from textgen.training.loop import clip_gradients as clip_gradients
    from textgen.training.moment import Moment as Moment
    from textgen.training.result import Result as Result
    from textgen.training.start import resume as resume
    from textgen.training.start import train as train
    from textgen.version import __version__ as __version__
    from textgen.writing.generation import generate as generate
    from textgen.writing.trained import Trained as Trained
    from textgen.writing.trained import load as load

_HOMES = {
    "CorpusConfig": "config",
    "Evaluation": "evaluation.perplexity",
    "GRU": "model.gru",
    "GenerationConfig": "config",
    "LSTM": "model.lstm",
    "ModelConfig": "config",
    "Moment": "training.moment",
    "RNN": "model.rnn",
    "RNNModel": "model.network",
    "RNNModelScratch": "model.network",
    "RandomBatches": "text.batches",
    "Result": "training.result",
    "Run": "runs.folder",
    "SGD": "training.loop",
    "SequentialBatches": "text.batches",
    "Settings": "config",
    "TextgenError": "errors",
    "Trained": "writing.trained",
    "TrainingConfig": "config",
    "Vocab": "text.vocab",
    "__version__": "version",
    "clip_gradients": "training.loop",
    "evaluate": "evaluation.judge",
    "generate": "writing.generation",
    "load": "writing.trained",
    "load_batches": "reading.loading",
    "resume": "training.start",
    "train": "training.start",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - a list of strings all the same


def __getattr__(name: str) -> "Any":  # noqa: ANN401 - whatever the name stands for
    if name not in _HOMES:
        raise AttributeError(f"module 'textgen' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"textgen.{_HOMES[name]}"), name)


def _draw(run: "Run") -> str:
    from textgen.plots.notebook import picture_of

    return picture_of(run)


Pictured.draw = _draw


def __dir__() -> list[str]:
    return __all__
