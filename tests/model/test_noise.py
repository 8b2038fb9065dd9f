"""Noise in the input: as often as the text says, by others of the text, and only in training."""

from itertools import pairwise

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from textgen.config import ModelConfig
from textgen.model.language_model import RNNModel, RNNModelScratch
from textgen.model.noise import InputNoise
from textgen.text.tokens import kinds_beside, occurrences

V = 7
TEXT = np.random.default_rng(0).integers(0, V - 1, 500).astype(np.int32)  # one never occurs


def make_noise(share: float) -> InputNoise:
    noise = InputNoise(share, V)
    known = occurrences(TEXT, V), *kinds_beside(TEXT, V)
    noise.expect(*map(torch.from_numpy, known))
    return noise


@given(st.lists(st.integers(0, V - 1), max_size=30))
def test_kinds_beside_are_those_of_all_pairs(text: list[int]) -> None:
    follow, precede = kinds_beside(np.array(text, np.int32), V)
    pairs = set(pairwise(text))
    assert follow.tolist() == [len({b for a, b in pairs if a == token}) for token in range(V)]
    assert precede.tolist() == [len({a for a, b in pairs if b == token}) for token in range(V)]


def test_nothing_is_changed_while_judging_or_before_a_text_is_known() -> None:
    tokens = torch.randint(V, (4, 9))
    assert torch.equal(make_noise(1.0).eval()(tokens), tokens)
    assert torch.equal(InputNoise(1.0, V)(tokens), tokens)
    assert make_noise(0.0)(tokens) is tokens


def test_tokens_are_read_as_others_as_often_as_the_text_says() -> None:
    torch.manual_seed(0)
    noise = make_noise(0.5)
    tokens = torch.from_numpy(TEXT)[None].expand(2000, -1)
    read = noise(tokens)
    assert read.dtype == tokens.dtype
    counts, (follow, precede) = occurrences(TEXT, V), kinds_beside(TEXT, V)
    chosen = precede / precede.sum()
    for token in range(V - 1):
        chance = 0.5 * follow[token] / counts[token] * (1 - chosen[token])  # not by itself
        became = read[tokens == token]
        assert abs(float((became != token).float().mean()) - chance) < 0.003
    others = torch.bincount(read[read != tokens], minlength=V).double()
    assert others[V - 1] == 0  # what never follows anything is not read either
    torch.testing.assert_close(others / others.sum(), torch.from_numpy(chosen), rtol=0, atol=0.02)


def test_rows_that_ranks_share_are_read_as_in_one_process() -> None:
    noise, tokens = make_noise(1.0), torch.randint(V - 1, (6, 20))
    torch.manual_seed(1)
    whole = noise(tokens)
    own = slice(1, None, 3)
    torch.manual_seed(1)
    assert torch.equal(noise(tokens[own], (6, own)), whole[own])
    assert not torch.equal(whole, tokens)


def test_both_models_read_the_same_noise() -> None:
    config = ModelConfig(hidden_size=8, embedding_size=4, input_noise=0.5)
    tokens = torch.from_numpy(TEXT[:40].reshape(4, 10))
    found = []
    for kind in (RNNModel, RNNModelScratch):
        torch.manual_seed(0)
        model = kind(V, config)
        model.noise = make_noise(0.5)
        torch.manual_seed(2)
        found.append(model.features(tokens)[0])
        assert not torch.equal(found[-1], model.eval().features(tokens)[0])
    torch.testing.assert_close(*found)
