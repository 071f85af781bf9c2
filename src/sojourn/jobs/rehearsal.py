"""Rehearsal: policies choose among the items that each page showed, as the pseudo-exposure paper replays a log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from sojourn import config
from sojourn.evaluation import ShownResult, paired_difference, replay_shown
from sojourn.logs import FeatureEncoder, Log
from sojourn.reporting import Caution, Column, Section, Table

MOST_ROUNDS: Final = 20_000
"""Pages that are replayed; the first of the log."""

_REFERENCE: Final = "logged_order"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rehearsal:
    """What each policy picked up from the logged pages.

    Parameters
    ----------
    results
        By policy; the logged order is among them.
    n_slots
        Items K that each policy picked.
    n_rounds
        Pages replayed.
    """

    results: Mapping[str, ShownResult]
    n_slots: int
    n_rounds: int

    def table(self) -> pl.DataFrame:
        """One row per policy: both click rates, and the paired difference to the logged order."""
        reference = self.results[_REFERENCE]
        rows = []
        for name, result in self.results.items():
            clicks, hits = result.ctr_sum, result.ctr_set
            rows.append(
                {
                    "policy": name,
                    "ctr_sum": clicks.value,
                    "ctr_sum_se": clicks.stderr,
                    "ctr_set": hits.value,
                    "ctr_set_se": hits.stderr,
                    "difference": paired_difference(result, reference).value,
                    "difference_se": paired_difference(result, reference).stderr,
                }
            )
        return pl.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"n_slots": self.n_slots, "n_rounds": self.n_rounds, "policies": self.table().to_dicts()}

    def section(self) -> Section:
        """The replay, for the report."""
        table = Table(
            self.table(),
            f"Clicks on {self.n_slots} items picked from each of {self.n_rounds:,} logged pages: per page (CTR_sum), "
            f"pages with a click (CTR_set), and the difference in CTR_sum to {_REFERENCE}, paired by page.",
            {
                "ctr_sum": Column(title="CTR_sum", stderr="ctr_sum_se"),
                "ctr_set": Column(title="CTR_set", stderr="ctr_set_se"),
                "difference": Column(stderr="difference_se"),
            },
        )
        warning = Caution(
            "This replay is not a value: a picked item brings the click of the slot where it was logged, and the top "
            "slots were looked at most. Where the logged order is any good it has that advantage, and even a policy "
            "that knew each item's true attraction may lose to it."
        )
        return Section("Replay on the shown items", [warning, table])


def rehearse(
    log: Log,
    policies: Mapping[str, config.Spec],
    *,
    n_slots: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Rehearsal:
    """Replay policies on the shown items; each learns as it goes.

    Parameters
    ----------
    log
        Needs whole pages of several items, but no propensities.
    policies
        Name -> ``[policy]`` table.
    n_slots
        Items K to pick from each page; half of the widest page, at most 6, unless given.
    seed
        Of the policies' draws.
    progress
        Called with (rounds done, rounds in all).
    """
    batch = log.to_batch(FeatureEncoder.fit(log)).batch.take(slice(MOST_ROUNDS))
    width = batch.n_slots
    k = n_slots or max(1, min(6, width // 2))
    specs: dict[str, config.Spec] = {_REFERENCE: {"recipe": _REFERENCE}, **policies}
    results = {}
    for done, (name, spec) in enumerate(specs.items()):

        def report(rounds: int, _: int, before: int = done * batch.n_rounds) -> None:
            if progress is not None:
                progress(before + rounds, batch.n_rounds * len(specs))

        policy = config.build_policy(spec, n_features=batch.features.shape[2], n_slots=width)
        results[name] = replay_shown(policy, batch, n_slots=k, rng=np.random.default_rng(seed), progress=report)
    return Rehearsal(results=results, n_slots=k, n_rounds=batch.n_rounds)
