"""Which language model the settings name."""

from textgen.config import ModelConfig
from textgen.model.language_model import LanguageModel
from textgen.model.network import Network, RNNModel, RNNModelScratch

MODELS: dict[str, type[Network]] = {"nn": RNNModel, "scratch": RNNModelScratch}
"""The values of ``--model``."""


def build_model(vocab_size: int, config: ModelConfig) -> LanguageModel:
    """Return the model that the settings name."""
    return MODELS[config.model](vocab_size, config)
