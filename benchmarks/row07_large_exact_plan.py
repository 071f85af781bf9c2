"""The best plan without repeats, K = 1,000,000 and T = 50; the candidates and the peer are those of row 6."""

from __future__ import annotations

from benchmarks.contest import Case, Goal, at_most
from benchmarks.row06_exact_plan import BEAM, OURS, share_lost

CASES = (
    Case(
        id="7",
        work="best plan without repeats, 50 of 1,000,000 candidates",
        ours=OURS,
        peers=(BEAM,),
        goals=(
            at_most(0.25, "0.25 s"),
            Goal(text="1 GB", met=lambda outcome: outcome.ours.peak_bytes < 1e9),
        ),
        setup={"n_candidates": 1_000_000, "n_steps": 50},
        turns=3,
        gap=share_lost,
    ),
)
