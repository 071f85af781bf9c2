"""How regret grows over 30,000 rounds, and how the theory's bound does."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import polars as pl

from experiments.pseudo_exposure.outcomes import Cell, Outcomes
from experiments.records import table
from sojourn.errors import InvalidInputError
from sojourn.simulation import Comparison, Exponent, regret_bound, regret_exponent

N_SLOTS, N_FEATURES, N_CANDIDATES = 3, 10, 900
WORLDS: Final = ("lin", "logit")


def comparison(outcomes: Outcomes, cell: Cell) -> Comparison | None:
    """The curves of a cell as `compare` gives them; None if nobody played."""
    frames = [
        pl.DataFrame({"policy": run.policy, "seed": seed, **record["curve"]})
        for run, by_seed in outcomes.runs(cell).items()
        for seed, record in sorted(by_seed.items())
    ]
    return Comparison(runs=pl.concat(frames).with_columns(slots=pl.col("round") * cell.n_slots)) if frames else None


def exponent(found: Comparison, policy: str, measure: Literal["regret", "set_regret"]) -> Exponent | None:
    """The exponent, if there is regret and more than one seed to fit it to."""
    try:
        return regret_exponent(found, policy, measure=measure)
    except InvalidInputError:
        return None


def bound_exponent(n_rounds: int) -> float:
    """The slope, on the last half of the run, of the logarithm of the bound."""
    rounds = np.array([0.5 * n_rounds, float(n_rounds)])
    bound = regret_bound(rounds, n_slots=N_SLOTS, n_features=N_FEATURES, n_candidates=N_CANDIDATES)
    return float(np.diff(np.log(bound))[0] / np.log(2.0))


def regret_table(outcomes: Outcomes) -> str:
    """One row per world and contestant: final regrets, and exponents with their intervals."""
    head = ("world", "policy", "regret", "exponent", "95 %", "set regret", "exponent", "95 %", "seeds")
    rows = []
    for world in WORLDS:
        cell = Cell("regret", "online", world, N_SLOTS)
        found = comparison(outcomes, cell)
        if found is None:
            continue
        rows += [_row(outcomes, cell, found, policy) for policy in found.policies]
        n_rounds = int(found.runs["round"].max())  # type: ignore[arg-type]
        rows.append([world, "the bound's shape", "", f"{bound_exponent(n_rounds):.2f}", "", "", "", "", ""])
    return table(head, rows)


def _row(outcomes: Outcomes, cell: Cell, found: Comparison, policy: str) -> list[str]:
    last = found.table(policy).filter(policy=policy).row(0, named=True)
    texts: list[str] = []
    for measure in ("regret", "set_regret"):
        spread = last[f"{measure}_se"]
        texts.append(f"{last[measure]:.0f}" if spread is None else f"{last[measure]:.0f} ± {spread:.0f}")
        fitted = exponent(found, policy, "regret" if measure == "regret" else "set_regret")
        texts += ["", ""] if fitted is None else [f"{fitted.value:.2f}", "{:.2f} to {:.2f}".format(*fitted.interval)]
    n_seeds = found.runs.filter(policy=policy)["seed"].n_unique()
    return [cell.world, policy, *texts, str(n_seeds)]
