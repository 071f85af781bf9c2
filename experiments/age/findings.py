"""What prototypes found before this experiment, with another generator of the same kind: confirmed or not."""

from __future__ import annotations

from typing import Final

from experiments.age import ablation, premise
from experiments.age.contestants import CONTESTANTS
from experiments.age.joining import worlds_of
from experiments.age.judging import (
    Claim,
    Find,
    Pairs,
    above,
    each_over,
    not_above,
    of,
    over,
    some_unclear,
    unclear,
    value,
)
from experiments.age.news import IN_H_ALONE
from experiments.differences import Difference
from experiments.outcomes import Outcomes

_AGES: Final = ("AGE-TS", "AGE-UCB")
_IN_S: Final = tuple(name for name in CONTESTANTS if name not in ("vanilla", "random", *IN_H_ALONE))
_NOT_KNOWING: Final = ("MC-dropout TS", "Gradient-TS", "last-layer NeuralTS")


def _beyond_1(name: str) -> Find:
    """By how much the spread of new items is larger than that of old ones, as a share of it."""

    def find(outcomes: Outcomes, world: str) -> Pairs:
        found = outcomes.mean("premise", world, name, "spread of new over old")
        return [("", found and Difference(found.value - 1.0, found.stderr, found.n_seeds))]

    return find


FINDINGS: Final = (
    Claim(
        words="A.1: neither AGE-TS nor AGE-UCB is clearly above vanilla",
        paper="H: -1.1 ± 2.3 %",
        find=of(_AGES, "vanilla"),
        test=not_above,
    ),
    Claim(
        words="A.1: in S everything ties with vanilla",
        paper="ties",
        find=of(_IN_S, "vanilla"),
        test=unclear,
        worlds=("S",),
    ),
    Claim(
        words="A.1: MC-dropout TS, Gradient-TS and last-layer NeuralTS tie with vanilla",
        paper="-1.4 ± 2.2, 0.0 ± 2.1, +1.6 ± 2.5 %",
        find=of(_NOT_KNOWING, "vanilla"),
        test=unclear,
        worlds=("H",),
    ),
    Claim(
        words="A.1: count-TS gains on vanilla",
        paper="+7.7 ± 2.6 %",
        find=over("count-TS", "vanilla"),
        test=above,
        worlds=("H",),
    ),
    Claim(
        words="A.1: count-TS beats AGE-TS",
        paper="+8.8 ± 2.7 %",
        find=over("count-TS", "AGE-TS"),
        test=above,
        worlds=("H",),
    ),
    Claim(
        words="A.1: Ensemble-TS gains on vanilla",
        paper="about +7 %",
        find=over("Ensemble-TS", "vanilla"),
        test=above,
        worlds=("H",),
    ),
    Claim(
        words="A.2: dropout's spread is not larger for new items (by how much, as a share)",
        paper=".044 against .044",
        find=_beyond_1("dropout"),
        test=not_above,
        worlds=worlds_of(premise.SETTINGS),
        places=3,
        unit="",
    ),
    Claim(
        words="A.2: spread times gradient hardly goes with the error, but it does (rank correlation)",
        paper=".09 to .14",
        find=value("premise", "dropout", "spread x gradient and error"),
        test=above,
        worlds=worlds_of(premise.SETTINGS),
        places=3,
        unit="",
    ),
    Claim(
        words="A.2, a guess: AGE gains by an uncertainty that knows the counts",
        paper="not tried",
        find=of(("AGE with counts", "AGE with item posterior"), "AGE-TS"),
        test=above,
        worlds=("H",),
    ),
    Claim(
        words="A.2, what it would take: AGE's direction adds to that uncertainty",
        paper="not tried",
        find=each_over({"AGE with counts": "count-TS", "AGE with item posterior": "item posterior TS"}),
        test=above,
        worlds=("H",),
    ),
    Claim(
        words="A.3: at the published strength AGE is as good as greedy",
        paper="greedy",
        find=over("AGE-TS, as published", "vanilla"),
        test=unclear,
        worlds=worlds_of(ablation.SETTINGS),
    ),
    Claim(
        words="A.4: PGD does not beat FGM",
        paper="-.1 ± 2.8 %",
        find=over("AGE-TS, PGD", "AGE-TS"),
        test=not_above,
        worlds=worlds_of(ablation.SETTINGS),
    ),
    Claim(
        words="A.4: samples do not always beat bounds",
        paper="not seen",
        find=each_over({"Ensemble-TS": "Ensemble-UCB", "GP-TS": "GP-UCB", "Gradient-TS": "Gradient-UCB"}),
        test=some_unclear,
    ),
    Claim(
        words="A.5: the first-order score is as good as the second pass",
        paper="ranks .973 to .998 alike",
        find=over("AGE-TS, first order", "AGE-TS"),
        test=unclear,
        worlds=worlds_of(ablation.SETTINGS),
    ),
)
"""Their figures are from 24 seeds in H unless said."""
