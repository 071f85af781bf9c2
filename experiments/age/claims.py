"""The paper's claims, and those of others about the same log."""

from __future__ import annotations

from typing import Final

import numpy as np

from experiments.age import ablation, buckets, half, premise
from experiments.age.figures import (
    BASELINES,
    BUCKETS,
    PGD_OVER_FGM,
    independent_gain,
    paper_gain,
    paper_loss,
    percent,
    whole_of,
)
from experiments.age.joining import worlds_of
from experiments.age.judging import (
    Claim,
    Find,
    Pairs,
    above,
    as_much_as,
    below,
    each_over,
    halved,
    of,
    over,
    paired,
    stable,
    value,
    within,
)
from experiments.outcomes import Outcomes

_UR_TS: Final = "stand-in for UR-gradient-TS"
_TS_AND_UCB: Final = {
    "Ensemble-TS": "Ensemble-UCB",
    "GP-TS": "GP-UCB",
    "Gradient-TS": "Gradient-UCB",
    _UR_TS: "stand-in for UR-gradient-UCB",
}
_LOSING: Final = ("Ensemble-UCB", "GP-UCB", "Gradient-UCB")
_IN_HALF, _IN_PARTS, _IN_BUCKETS, _IN_PREMISE = (
    worlds_of(study.SETTINGS) for study in (half, ablation, buckets, premise)
)
_MOVED: Final = "spread x gradient and change"


def _list(*values: float) -> str:
    return ", ".join(percent(each) for each in values) + " %"


def _gains_on_vanilla(name: str) -> Claim:
    return Claim(
        words=f"Table 1: {name} gains on vanilla",
        paper=_list(paper_gain(name)),
        find=over(name, "vanilla"),
        test=above,
    )


def _needs(part: str, words: str) -> Claim:
    whole = whole_of(part)
    return Claim(
        words=f"Table 2: {whole} needs {words}",
        paper=_list(paper_loss(part)),
        find=over(part, whole),
        test=below,
        worlds=_IN_PARTS,
    )


def _threshold(name: str) -> str:
    return f"AGE-TS, threshold {name}"


def _over_parts(part: str, *others: str) -> list[float]:
    return [100.0 * ((100.0 + paper_loss(part)) / (100.0 + paper_loss(other)) - 1.0) for other in others]


def _nearer_to_1(name: str) -> Find:
    """By how much PCOC is nearer to 1 than vanilla's."""

    def find(outcomes: Outcomes, world: str) -> Pairs:
        off = [
            {seed: abs(found - 1.0) for seed, found in outcomes.values("buckets", world, who, "PCOC").items()}
            for who in ("vanilla", name)
        ]
        return [("", paired(*off))]

    return find


def _more_than(measure: str, other: str) -> Find:
    """By how much one rank correlation of dropout is above another."""

    def find(outcomes: Outcomes, world: str) -> Pairs:
        mine, theirs = (outcomes.values("premise", world, "dropout", each) for each in (measure, other))
        return [("", paired(mine, theirs))]

    return find


def _in_buckets(name: str, measure: str, words: str, amount: float | None) -> Claim:
    return Claim(
        words=f"Table 4: {words}",
        paper=_list(amount or np.nan),
        find=over(name, "vanilla", where=("buckets", measure)),
        test=above,
        worlds=_IN_BUCKETS,
    )


_AGE: Final = BUCKETS["AGE-TS"]

_TABLE_1: Final = (
    _gains_on_vanilla("AGE-TS"),
    Claim(
        words="the same, by as much",
        paper=_list(paper_gain("AGE-TS")),
        find=over("AGE-TS", "vanilla"),
        test=as_much_as(paper_gain("AGE-TS")),
    ),
    Claim(
        words="the same at the published strength, PGD and probabilities",
        paper=_list(paper_gain("AGE-TS")),
        find=over("AGE-TS, as published", "vanilla"),
        test=above,
        worlds=_IN_PARTS,
    ),
    Claim(
        words="Table 1: AGE-TS beats all eleven baselines",
        paper=f"by {paper_gain('AGE-TS', _UR_TS):.1f} % and more",
        find=over("AGE-TS", *BASELINES),
        test=above,
    ),
    _gains_on_vanilla("AGE-UCB"),
    Claim(
        words="Table 1: AGE-UCB is close to AGE-TS (surely within 5 %)",
        paper=_list(paper_gain("AGE-UCB", "AGE-TS")),
        find=over("AGE-UCB", "AGE-TS"),
        test=within(5.0),
    ),
    Claim(
        words="Table 1: samples beat bounds for all baselines",
        paper=_list(*(paper_gain(*pair) for pair in _TS_AND_UCB.items())),
        find=each_over(_TS_AND_UCB),
        test=above,
    ),
    *map(_gains_on_vanilla, ("Gradient-TS", "GP-TS", "Ensemble-TS", "epsilon-greedy")),
    Claim(
        words=f"Table 1: {', '.join(_LOSING)} lose to vanilla",
        paper=_list(*map(paper_gain, _LOSING)),
        find=of(_LOSING, "vanilla"),
        test=below,
    ),
    Claim(
        words="Table 1, half the log: AGE-TS gains on vanilla",
        paper=_list(paper_gain("AGE-TS", half=True)),
        find=over("AGE-TS", "vanilla", where=("half", "click rate")),
        test=above,
        worlds=_IN_HALF,
    ),
    Claim(
        words="Table 1: AGE-TS gains as much on half the log",
        paper=_list(paper_gain("AGE-TS"), paper_gain("AGE-TS", half=True)),
        find=halved("AGE-TS"),
        test=stable,
        worlds=_IN_HALF,
    ),
)

_TABLES_2_AND_3: Final = (
    _needs("AGE-TS without delta_y", "the uncertainty delta_y"),
    _needs("AGE-TS without g", "the gradient g"),
    _needs("AGE-TS without gate", "the gate"),
    _needs("AGE-UCB without gate", "the gate"),
    *(
        _needs(_threshold(each), f"the learned gate rather than a threshold of {each}")
        for each in (".02", ".01", ".005")
    ),
    Claim(
        words="Table 2: .01 is the best fixed threshold",
        paper=_list(*_over_parts(_threshold(".01"), _threshold(".02"), _threshold(".005"))),
        find=over(_threshold(".01"), _threshold(".02"), _threshold(".005")),
        test=above,
        worlds=_IN_PARTS,
    ),
    Claim(
        words="Table 2: a fixed threshold of .01 beats no gate",
        paper=_list(*_over_parts(_threshold(".01"), "AGE-TS without gate")),
        find=over(_threshold(".01"), "AGE-TS without gate"),
        test=above,
        worlds=_IN_PARTS,
    ),
    Claim(words="Table 3: PGD beats FGM", paper=_list(PGD_OVER_FGM), find=over("AGE-TS, PGD", "AGE-TS"), test=above),
)

_TABLE_4: Final = (
    _in_buckets("AGE-TS", "click rate", "AGE-TS raises CTR where nobody explores", _AGE.ctr),
    _in_buckets("AGE-TS", "new", "AGE-TS raises PV of new items", _AGE.pv),
    Claim(
        words="Table 4: AGE-TS brings PCOC nearer to 1",
        paper=f"{BUCKETS['vanilla'].pcoc:.2f} to {_AGE.pcoc:.2f}",
        find=_nearer_to_1("AGE-TS"),
        test=above,
        worlds=_IN_BUCKETS,
        places=3,
        unit="",
    ),
    _in_buckets("AGE-TS", "followed up", "AGE-TS raises AFR (our proxy)", _AGE.afr),
    Claim(
        words="Table 4: AGE-TS raises CTR more than both ensembles",
        paper="+5.1, +9.8 %",
        find=over("AGE-TS", "Ensemble-TS", "Ensemble-UCB", where=("buckets", "click rate")),
        test=above,
        worlds=_IN_BUCKETS,
    ),
)

_PREMISE: Final = (
    Claim(
        words="eqs. 6, 7: uncertainty times gradient tells how far one step moves a prediction (rank correlation)",
        paper="yes",
        find=value("premise", "dropout", _MOVED),
        test=above,
        worlds=_IN_PREMISE,
        places=3,
        unit="",
    ),
    Claim(
        words="the same, better than the gradient alone",
        paper="yes",
        find=_more_than(_MOVED, "gradient and change"),
        test=above,
        worlds=_IN_PREMISE,
        places=3,
        unit="",
    ),
    Claim(
        words="eqs. 11, 12: dropout's spread stands for how far the prediction is off (rank correlation)",
        paper="yes",
        find=value("premise", "dropout", "spread and error"),
        test=above,
        worlds=_IN_PREMISE,
        places=3,
        unit="",
    ),
)

_OF_OTHERS: Final = (
    *(
        Claim(
            words=f"PlugTS's authors: {name} gains on vanilla",
            paper=_list(independent_gain(name)),
            find=over(name, "vanilla"),
            test=above,
        )
        for name in ("MC-dropout TS", "last-layer NeuralTS")
    ),
    Claim(
        words="across papers: last-layer NeuralTS beats AGE-TS",
        paper="+4.2 %",
        find=over("last-layer NeuralTS", "AGE-TS"),
        test=above,
    ),
    Claim(
        words="across papers: AGE-TS beats MC-dropout TS",
        paper="+4.6 %",
        find=over("AGE-TS", "MC-dropout TS"),
        test=above,
    ),
    Claim(words="DUAL: GP-TS beats epsilon-greedy", paper="+10.0 %", find=over("GP-TS", "epsilon-greedy"), test=above),
)

CLAIMS: Final = (*_TABLE_1, *_TABLES_2_AND_3, *_TABLE_4, *_PREMISE, *_OF_OTHERS)
