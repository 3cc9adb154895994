"""The gradient by hand is autograd's, to the last digits that floats of double precision leave."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.tasks.base import Column, Schema
from toolkit.tracks._backprop import AddGradientByHand, add_gradient_by_autograd, gradient_adder
from toolkit.tracks._encode import Encoder
from toolkit.tracks._module import TrainingModule, flattened
from toolkit.tracks._net import Recipe

N_LEVELS = (2, 7)


def module_of(
    *,
    n_numbers: int = 3,
    n_categories: int = 1,
    seed: int = 0,
    depth: int = 2,
    width: int = 5,
    dropout: float = 0.0,
    signal: tuple[int, int] | None = None,
    **given: int,
) -> TrainingModule:
    """Return a module whose weights are nowhere at rest, in double precision."""
    numbers = tuple(Column(f"x{position}") for position in range(n_numbers))
    categories = tuple(
        Column(f"c{position}", "category", tuple(map(str, range(levels))))
        for position, levels in enumerate(N_LEVELS[:n_categories])
    )
    recipe = Recipe(
        width=width,
        dropout=dropout,
        penalty=0,
        learning_rate=0.1,
        epochs=1,
        batch_rows=9,
        depth=depth,
        **given,
    )
    generator = torch.Generator().manual_seed(seed)
    encoder = Encoder.plain(Schema((*numbers, *categories)))
    module = TrainingModule(encoder, recipe, generator, signal=signal).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.7, generator=generator)
    return module


def rows_of(module: TrainingModule, n_rows: int, seed: int) -> list[torch.Tensor]:
    """Return numbers, codes (unknown levels too), wanted probabilities and offsets."""
    generator = np.random.default_rng(seed)
    n_numbers = len(module.linear) // 5 - (module.bank.n_outputs if module.bank else 0)
    numbers = generator.normal(size=(n_rows, n_numbers))
    codes = [generator.integers(0, len(level), n_rows) for level in module.level]
    return [
        torch.from_numpy(numbers),
        torch.from_numpy(np.array(codes, np.int64).reshape(len(codes), n_rows).T.copy()),
        torch.from_numpy(generator.random(n_rows)),
        torch.from_numpy(generator.normal(size=n_rows)),
    ]


SHAPES = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "n_numbers": st.integers(0, 4),
        "n_categories": st.integers(0, 2),
        "depth": st.integers(1, 6),
        "width": st.integers(1, 6),
        "dropout": st.sampled_from([0.0, 0.4]),
    }
)
WEIGHTS = st.lists(st.sampled_from([0.0, 0.3, 1.0, 40.0]), min_size=1, max_size=3)


@given(shape=SHAPES, n_rows=st.integers(1, 40), weights=WEIGHTS)
@settings(max_examples=80, deadline=None)
def test_by_hand_is_as_by_autograd(shape, n_rows, weights):
    gradients = []
    for way in (add_gradient_by_autograd, AddGradientByHand):
        module = module_of(**shape)
        flat = flattened(list(module.parameters()))
        add = way(module)
        for seed, weight in enumerate(weights):
            numbers, codes, wanted, offset = rows_of(module, n_rows, seed)
            add([numbers, codes], wanted, offset, weight)
        gradients.append(flat.grad.numpy())
    by_autograd, by_hand = gradients
    assert np.abs(by_autograd).max() > 0 or sum(weights) == 0
    np.testing.assert_allclose(by_hand, by_autograd, rtol=1e-9, atol=1e-12)


def test_follows_the_weights_as_they_move():
    module = module_of()
    flat = flattened(list(module.parameters()))
    add = AddGradientByHand(module)
    numbers, codes, wanted, offset = rows_of(module, 30, 0)
    add([numbers, codes], wanted, offset, 1.0)
    first = flat.grad.clone()
    with torch.no_grad():
        flat.mul_(0.5)
    flat.grad.zero_()
    add([numbers, codes], wanted, offset, 1.0)
    assert (flat.grad - first).abs().max() > 0.01
    by_hand = flat.grad.clone()
    flat.grad.zero_()
    add_gradient_by_autograd(module)([numbers, codes], wanted, offset, 1.0)
    torch.testing.assert_close(by_hand, flat.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("given", [{"members": 4}, {"members": 4, "depth": 1}])
def test_an_ensemble_is_left_to_autograd(given):
    module = module_of(**given)
    flat = flattened(list(module.parameters()))
    numbers, codes, wanted, offset = rows_of(module, 4, 0)
    with pytest.raises(ValueError, match="one member"):
        AddGradientByHand(module)
    gradient_adder(module)([numbers, codes], wanted, offset, 1.0)
    gains = [parameter.grad for parameter in module.gain]
    assert all(gain.abs().max() > 0 for gain in gains)
    assert torch.isfinite(flat.grad).all()


def test_a_net_with_filters_is_left_to_autograd_and_a_signal_without_filters_is_passed_over():
    sequence = torch.from_numpy(np.random.default_rng(0).integers(0, 2, (12, 2, 14)).astype(np.uint8))
    for filters in (3, 0):
        module = module_of(filters=filters, signal=(2, 14)).float()
        flat = flattened(list(module.parameters()))
        numbers, codes, wanted, offset = rows_of(module, 12, 0)
        gradient_adder(module)([numbers.float(), codes, sequence], wanted.float(), offset.float(), 1.0)
        assert flat.grad.abs().max() > 0
        rates = [parameter.grad for name, parameter in module.named_parameters() if name.startswith("bank.")]
        assert len(rates) == (1 if filters else 0)
        assert all(rate.abs().max() > 0 for rate in rates)


def test_a_gradient_that_was_never_made_is_told():
    module = module_of()
    numbers, codes, wanted, offset = rows_of(module, 5, 0)
    with pytest.raises(ValueError, match=r"call flattened\(\)"):
        AddGradientByHand(module)([numbers, codes], wanted, offset, 1.0)
