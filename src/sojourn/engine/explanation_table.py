"""An explanation as a table for a terminal."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from sojourn.engine.explanation import Explanation

_WIDTH: Final = 120
_ITEM_WIDTH: Final = 12
_HEADINGS: Final = ["slot", "item", "click % (95 %)", "bonus", "reward %", "leaves %", "seen", "to go", "prob.", "why"]


def table_of(explanation: Explanation, n_more: int) -> str:
    """The page from the top, then the ``n_more`` other candidates whose loss is smallest; 120 columns at most."""
    of, page = explanation.candidates, explanation.page
    others = np.setdiff1d(np.flatnonzero(of.allowed), page.row)
    others = others[np.argsort(of.loss[others], kind="stable")[:n_more]]
    along = (page.reward, page.hazard, page.examination, page.value_to_go, page.propensity)
    lines = [_cells(explanation, row, str(slot), *(each[slot] for each in along)) for slot, row in enumerate(page.row)]
    lines += [_cells(explanation, row, "", of.reward[row], of.hazard[row]) for row in others]
    guards = ", ".join(f"{name} {guard.value}" for name, guard in explanation.guards.items())
    head = f"{explanation.plan.value:.4g} clicks expected from here on, {len(of.step)} candidates; {guards}"
    return "\n".join([head, *_aligned([_HEADINGS, *lines])])


def _cells(explanation: Explanation, row: int, slot: str, reward: float, hazard: float, *along: float) -> list[str]:
    of = explanation.candidates
    low, rate, high = of.click.low[row], of.click.rate[row], of.click.high[row]
    return [
        slot,
        _short(str(of.item_ids[row]), _ITEM_WIDTH),
        f"{_percent(rate, 2)} ({_percent(low, 1)}-{_percent(high, 1)})",
        "" if isnan(of.exploration[row]) else f"{of.exploration[row]:+.2f}",
        _percent(reward, 2),
        _percent(hazard, 2),
        *([f"{each:.3f}" for each in along] or [""] * 3),
        explanation.why(row),
    ]


def _aligned(lines: list[list[str]]) -> list[str]:
    """Columns of one width each, to the right; the last to the left."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)][:-1]
    padded = ([*(cell.rjust(width) for cell, width in zip(line, widths, strict=False)), line[-1]] for line in lines)
    return [_short("  ".join(line), _WIDTH) for line in padded]


def _percent(share: float, places: int) -> str:
    """One place less where there are two digits before the point; empty where nothing is known."""
    return "" if isnan(share) else f"{100.0 * share:.{places - (share >= 0.0995)}f}"


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
