"""Names written at the ends of lines, so that no legend has to be searched."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from sojourn.records import FloatArray
from sojourn.reporting.style import colour, label

LINE_HEIGHT = 17  # pixels
MARGINS = 90  # pixels above and below the plotting area, about
LETTER = 8.3  # pixels, in the widest of the usual fonts
LONGEST = 18  # letters; the hover shows all of a longer name


def spread(wanted: FloatArray, gap: float) -> FloatArray:
    """Places (p,) at least ``gap`` apart, in the order of the wanted ones and as a group close to them.

    Places that would overlap are pooled into blocks that are centred on the mean of what they want, which is the
    least squares solution (pool adjacent violators).
    """
    order = np.argsort(wanted, kind="stable")
    free = wanted[order] - gap * np.arange(len(wanted))  # gaps removed: places must now only not decrease
    blocks: list[tuple[float, int]] = []
    for place in free:
        mean, size = float(place), 1
        while blocks and blocks[-1][0] > mean:
            before, n = blocks.pop()
            mean, size = (mean * size + before * n) / (size + n), size + n
        blocks.append((mean, size))
    places = np.empty_like(wanted)
    places[order] = np.repeat([mean for mean, _ in blocks], [size for _, size in blocks])
    places[order] += gap * np.arange(len(wanted))
    return places


def label_ends(figure: go.Figure, names: Sequence[str], curves: FloatArray, *, low: float, high: float) -> None:
    """Fix the vertical range to [low, high] and write each name beside the end of its line, a row of curves (p, t)."""
    span = high - low or 1.0
    gap = span * LINE_HEIGHT / (figure.layout.height - MARGINS)
    for index, (name, place) in enumerate(zip(names, spread(_ends(curves), gap), strict=True)):
        figure.add_annotation(
            text=label(_short(name)),
            font={"color": colour(index), "size": 12, "weight": 600},
            x=1,
            xref="paper",
            xanchor="left",
            xshift=6,
            y=place,
            showarrow=False,
        )
    figure.update_layout(margin_r=10 + LETTER * max(len(_short(name)) for name in names))
    figure.update_yaxes(range=[low - 0.04 * span, high + 0.04 * span])


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def _ends(curves: FloatArray) -> FloatArray:
    """The last finite value of each row; 0 for a row that has none."""
    finite = np.isfinite(curves)
    last = curves.shape[1] - 1 - np.argmax(finite[:, ::-1], axis=1)
    return np.where(finite.any(axis=1), curves[np.arange(len(curves)), last], 0.0)
