"""As row 1, with d = 50."""

from __future__ import annotations

from benchmarks.contest import at_most, times_faster
from benchmarks.row01_decide_and_learn import ALL_PEERS, MAB2REC, PEARL, PEARL_FIXED, VOWPAL_WABBIT, case

CASES = (
    case(
        "2a",
        recipe="linucb_k",
        n_features=50,
        peers=ALL_PEERS,
        goals=(at_most(250e-6, "250 us"), times_faster(7, PEARL.name), times_faster(7, PEARL_FIXED.name)),
    ),
    case(
        "2b",
        recipe="iba_linucb",
        n_features=50,
        peers=(PEARL_FIXED, PEARL, VOWPAL_WABBIT, MAB2REC),
        goals=(at_most(1.2e-3, "1.2 ms"),),
    ),
)
