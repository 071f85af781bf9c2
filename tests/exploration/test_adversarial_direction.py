"""The direction of adversarial exploration, against gradients and maxima that are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sojourn.exploration.adversarial.direction import ascent_direction, gradient

H = torch.tensor([[0.3, -0.2], [1.0, 0.5], [-0.7, 2.0]], dtype=torch.float64)
CURVES = torch.tensor([[-0.8, 0.3], [0.3, 0.5]], dtype=torch.float64)
SLOPE = torch.tensor([0.4, -1.1], dtype=torch.float64)


def quadratic(h: Tensor) -> Tensor:
    """SLOPE.h + h.CURVES.h / 2, whose gradient is SLOPE + CURVES h."""
    return h @ SLOPE + 0.5 * torch.einsum("...i,ij,...j->...", h, CURVES, h)


def network(n_inputs: int, seed: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers: list[nn.Module] = [nn.Linear(n_inputs, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0)]
        return nn.Sequential(*layers).double()


def on_sphere(n_dimensions: int, *, step: float = 0.01) -> Tensor:
    """Unit vectors of 2 or 3 dimensions, no further than about ``step`` apart."""
    angle = torch.arange(0.0, 2.0 * torch.pi, step, dtype=torch.float64)
    if n_dimensions == 2:
        return torch.stack((angle.cos(), angle.sin()), dim=-1)
    height = torch.linspace(-1.0, 1.0, int(2.0 / step), dtype=torch.float64)[:, None]
    ring = (1.0 - height**2).sqrt()
    return torch.stack((ring * angle.cos(), ring * angle.sin(), height.expand(-1, len(angle))), dim=-1).flatten(0, 1)


def test_gradient_is_that_of_each_row() -> None:
    torch.testing.assert_close(gradient(quadratic, H), SLOPE + H @ CURVES)


def test_prediction_rises_by_the_norm_of_the_gradient() -> None:
    norm = gradient(quadratic, H).norm(dim=-1)
    g = ascent_direction(quadratic, H, n_steps=1)
    error = [(quadratic(H + step * g) - quadratic(H)) / step - norm for step in (1e-3, 1e-4)]
    assert float(error[1].abs().max()) < 1e-4
    torch.testing.assert_close(error[0], 10.0 * error[1], rtol=1e-3, atol=0.0)  # what is left is of second order


@given(n_rows=st.integers(1, 6), width=st.integers(1, 9), n_steps=st.integers(1, 4), scale=st.floats(1e-3, 1e3))
def test_directions_have_length_one(n_rows: int, width: int, n_steps: int, scale: float) -> None:
    f = network(width, seed=n_rows)
    h = torch.from_numpy(np.random.default_rng(width).normal(size=(n_rows, width)))
    g = ascent_direction(lambda at: scale * f(at), h, n_steps=n_steps)
    torch.testing.assert_close(g.norm(dim=-1), torch.ones(n_rows, dtype=torch.float64))


def test_one_projected_step_is_the_fast_gradient() -> None:
    slope = gradient(quadratic, H)
    assert torch.equal(ascent_direction(quadratic, H, n_steps=1), slope / slope.norm(dim=-1, keepdim=True))


def test_projected_steps_by_hand() -> None:
    h, curves, slope = H.numpy(), CURVES.numpy(), SLOPE.numpy()
    g = np.zeros_like(h)
    for n_steps in (1, 2, 3):
        g = g + slope + (h + g) @ curves  # equation 14
        g /= np.linalg.norm(g, axis=1, keepdims=True)
        np.testing.assert_allclose(ascent_direction(quadratic, H, n_steps=n_steps).numpy(), g, rtol=1e-12)


def test_many_projected_steps_find_the_maximum_at_distance_one() -> None:
    sphere = on_sphere(2)
    found = quadratic(H + ascent_direction(quadratic, H, n_steps=200))
    best = quadratic(H[:, None] + sphere).amax(dim=-1)
    assert bool((found >= best - 1e-9).all())
    assert bool((quadratic(H + ascent_direction(quadratic, H, n_steps=1)) < best - 1e-3).all())  # one step does not


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_the_step_is_the_adversarial_maximum_to_first_order(n_dimensions: int) -> None:
    """Equation 9 by search: what the step leaves to gain, per length, falls with the square of the length."""
    f = network(n_dimensions, seed=n_dimensions)
    h = torch.full((1, n_dimensions), 0.4, dtype=torch.float64)
    sphere = on_sphere(n_dimensions)
    g = ascent_direction(f, h, n_steps=1)

    def left_to_gain(length: float) -> float:
        with torch.no_grad():
            return float(f(h + length * sphere).max() - f(h + length * g)) / length

    assert left_to_gain(0.4) / left_to_gain(0.2) == pytest.approx(4.0, rel=0.25)
    assert left_to_gain(1e-3) < 1e-5


@pytest.mark.parametrize("n_steps", [1, 3])
def test_where_nothing_rises_there_is_no_direction(n_steps: int) -> None:
    def flat_at_the_left(h: Tensor) -> Tensor:
        return h[..., 0].relu()

    g = ascent_direction(flat_at_the_left, torch.tensor([[-5.0, 1.0], [5.0, 1.0]]), n_steps=n_steps)
    assert torch.equal(g, torch.tensor([[0.0, 0.0], [1.0, 0.0]]))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_mode_of_the_caller_does_not_matter_and_stays(mode: Callable[[], torch.autograd.grad_mode.no_grad]) -> None:
    with mode():
        before = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        g = ascent_direction(quadratic, H * 1.0, n_steps=2)  # an inference tensor under inference_mode
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before
    assert not g.requires_grad
    torch.testing.assert_close(g + 0.0, ascent_direction(quadratic, H, n_steps=2))


def test_parameters_get_no_gradient() -> None:
    f = network(2, seed=0)
    first, *others = f.parameters()
    first.grad = torch.full_like(first, 7.0)
    ascent_direction(f, H, n_steps=2)
    assert torch.equal(first.grad, torch.full_like(first, 7.0))
    assert all(parameter.grad is None for parameter in others)
