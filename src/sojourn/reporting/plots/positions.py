"""The axis of positions on a page: counted from 0 in the data, from 1 for people."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

POSITION = "position (1 = top of the page)"
Z95 = 1.96  # standard errors on each side of a 95 % interval
FEW = 12


def show_positions(figure: go.Figure, shown: ArrayLike) -> None:
    """One tick for each of a few positions; round numbers on a long page."""
    last = float(np.max(shown))
    figure.update_xaxes(range=[0.5, last + 0.5], **({"dtick": 1, "tick0": 1} if last <= FEW else {"nticks": FEW}))
