from __future__ import annotations

import numpy as np
import pytest

from sojourn.exposure.survival.descent import minimise
from sojourn.records import FloatArray


def rosenbrock(x: FloatArray) -> tuple[float, FloatArray]:
    value = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
    return value, np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])


def test_a_bent_valley_is_followed_to_its_end() -> None:
    found = minimise(rosenbrock, np.array([-1.2, 1.0]), tolerance=0.0, max_evaluations=200)
    assert found.converged
    assert found.evaluations < 80
    np.testing.assert_allclose(found.point, 1.0, atol=1e-6)


def test_a_quadratic_is_solved(rng: np.random.Generator) -> None:
    root = rng.standard_normal((30, 30))
    curvature, centre = root @ root.T + np.eye(30), rng.standard_normal(30)

    def bowl(x: FloatArray) -> tuple[float, FloatArray]:
        pull = curvature @ (x - centre)
        return 0.5 * float((x - centre) @ pull), pull

    found = minimise(bowl, np.zeros(30), tolerance=1e-16, max_evaluations=500)
    np.testing.assert_allclose(found.point, centre, atol=1e-5)


def test_the_value_never_rises_and_infinity_is_walked_back_from() -> None:
    tried: list[float] = []

    def wall(x: FloatArray) -> tuple[float, FloatArray]:
        inside = x[0] < 1.0
        tried.append(float(-np.log(1.0 - x[0]) - 3.0 * x[0]) if inside else np.inf)
        return tried[-1], np.array([1.0 / (1.0 - x[0]) - 3.0 if inside else np.nan])

    found = minimise(wall, np.array([0.0]), tolerance=1e-12, max_evaluations=100)
    assert np.inf in tried
    assert found.point[0] == pytest.approx(2 / 3, abs=1e-4)


def test_running_out_of_evaluations_is_said() -> None:
    for most in (1, 2, 3):
        found = minimise(rosenbrock, np.array([-1.2, 1.0]), tolerance=0.0, max_evaluations=most)
        assert (found.converged, found.evaluations) == (False, most)
        assert found.value <= rosenbrock(np.array([-1.2, 1.0]))[0]
