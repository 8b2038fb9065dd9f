"""Which language model the settings name."""

from textgen.config import ModelConfig
from textgen.model.ensemble import Ensemble
from textgen.model.language_model import LanguageModel
from textgen.model.network import MODELS


def build_model(vocab_size: int, config: ModelConfig) -> LanguageModel:
    """Return the model that the settings name: one network, or several."""
    if config.resolved().num_networks > 1:
        return Ensemble(vocab_size, config)
    return MODELS[config.model](vocab_size, config)
