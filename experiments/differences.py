"""Differences between contestants, paired by seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.records import FloatArray


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean over seeds: of what one contestant got more than another, in per cent of the other's mean, unless said.

    Parameters
    ----------
    value
    stderr
        Over seeds, paired; None for one seed.
    n_seeds
    """

    value: float
    stderr: float | None
    n_seeds: int

    @property
    def clear(self) -> bool:
        """More than two standard errors away from 0."""
        return self.stderr is not None and abs(self.value) > 2.0 * self.stderr

    def __str__(self) -> str:
        return f"{self.value:+.1f}" if self.stderr is None else f"{self.value:+.1f} ± {self.stderr:.1f}"

    @classmethod
    def of(cls, per_seed: FloatArray) -> Difference:
        """From one value of each seed."""
        n = len(per_seed)
        stderr = float(per_seed.std(ddof=1) / np.sqrt(n)) if n > 1 else None
        return cls(value=float(per_seed.mean()), stderr=stderr, n_seeds=n)
