"""Dense layers with ReLU between them, in NumPy: what a trained network is once training is over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.records import FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Layers:
    """A network whose last layer is linear and whose other layers end in a ReLU.

    Parameters
    ----------
    weights : tuple of (inputs, outputs) float
        One matrix per layer, from the input on.
    biases : tuple of (outputs,) float
    """

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]

    def through(self, rows: FloatArray, start: int, stop: int) -> FloatArray:
        """(n, outputs) what the layers ``start`` to ``stop - 1`` make of (n, inputs)."""
        for layer in range(start, stop):
            rows = rows @ self.weights[layer] + self.biases[layer]
            if layer < len(self.weights) - 1:
                np.maximum(rows, 0.0, out=rows)
        return rows
