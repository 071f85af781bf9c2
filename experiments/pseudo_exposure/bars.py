"""The bars that our own prototypes set, with a margin: met or not met."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from experiments.pseudo_exposure.outcomes import Cell, Outcomes, Run
from experiments.pseudo_exposure.regret import comparison, exponent
from experiments.pseudo_exposure.studies import MAIN_WORLDS
from experiments.records import table

_LIN, _CANNIBAL = (Cell("curves", "online", world, 3) for world in ("lin", "cannibal"))
_REPLAYED, _LONG = Cell("curves", "replay", "lin", 3), Cell("regret", "online", "lin", 3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A threshold and what came out: the text to print, and whether it is met. None where it was not run."""

    words: str
    threshold: str
    found: Callable[[Outcomes], tuple[str, bool] | None]


def _percent(
    cell: Cell, policy: str, reference: str, met: Callable[[float], bool]
) -> Callable[[Outcomes], tuple[str, bool] | None]:
    def found(outcomes: Outcomes) -> tuple[str, bool] | None:
        difference = outcomes.difference(cell, Run(policy), Run(reference))
        return None if difference is None else (f"{difference} %", met(difference.value))

    return found


def _regret_ratio(outcomes: Outcomes) -> tuple[str, bool] | None:
    mine, theirs = (outcomes.mean(_LIN, Run(name), "regret") for name in ("linucb_k_sw", "linucb_k"))
    return (
        None
        if mine is None or not theirs
        else (f"{mine:.0f} / {theirs:.0f} = {mine / theirs:.2f}", mine / theirs <= 0.7)
    )


def _growth(outcomes: Outcomes) -> tuple[str, bool] | None:
    runs = comparison(outcomes, _LONG)
    fitted = None if runs is None or "linucb_k_sw" not in runs.policies else exponent(runs, "linucb_k_sw", "regret")
    return (
        None
        if fitted is None
        else ("{:.2f} ({:.2f} to {:.2f})".format(fitted.value, *fitted.interval), fitted.value <= 0.6)
    )


_AIM = tuple(
    Bar(
        words=f"{world}, online: `default_bandit` over `iba_linucb` (the aim)",
        threshold=">= +4 %",
        found=_percent(Cell("curves", "online", world, 3), "default_bandit", "iba_linucb", lambda x: x >= 4.0),
    )
    for world in MAIN_WORLDS[:-1]
)

BARS: Final = (
    Bar(
        words="lin, online: `linucb_k_sw` over `iba_linucb`",
        threshold=">= +2 %",
        found=_percent(_LIN, "linucb_k_sw", "iba_linucb", lambda x: x >= 2.0),
    ),
    Bar(words="lin, online: regret of `linucb_k_sw` / `linucb_k`", threshold="<= .7", found=_regret_ratio),
    Bar(
        words="lin, online: `iba_linucb_sw` against `iba_linucb`",
        threshold="within 1.5 %",
        found=_percent(_LIN, "iba_linucb_sw", "iba_linucb", lambda x: abs(x) <= 1.5),
    ),
    Bar(words="lin, online, 30,000 rounds: regret exponent of `linucb_k_sw`", threshold="<= .6", found=_growth),
    Bar(
        words="cannibal, online: `linucb_similarity_sw` over `iba_linucb`",
        threshold=">= +4 %",
        found=_percent(_CANNIBAL, "linucb_similarity_sw", "iba_linucb", lambda x: x >= 4.0),
    ),
    Bar(
        words="lin, replay: picking by true attraction against the logged order",
        threshold="< 0",
        found=_percent(_REPLAYED, "oracle: most attractive", "logged_order", lambda x: x < 0.0),
    ),
    *_AIM,
)
"""K = 3 throughout."""


def bars_table(outcomes: Outcomes) -> str:
    """One row per bar."""
    rows = []
    for bar in BARS:
        found = bar.found(outcomes)
        rows.append(
            [
                bar.words,
                bar.threshold,
                *(("", "not run") if found is None else (found[0], "met" if found[1] else "not met")),
            ]
        )
    return table(("bar, K = 3", "threshold", "ours", "met?"), rows)
