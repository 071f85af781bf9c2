"""The paper's claims: what it says, what came out, and whether that holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from experiments.differences import Difference
from experiments.outcomes import Outcomes
from experiments.records import table
from experiments.session_planning import online
from experiments.session_planning.figures import PAPER_GAINS, needed_click_rate

_STANDARD: Final = ("standard, T = 20", "standard, T = 50")
_GENERATOR: Final = ("generator", "standard")
_PAPER: Final = "MI-SVM + Platt (the paper)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What came out, and whether the claim holds; None where that is not for us to say."""

    text: str
    holds: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A claim of the paper and how it is judged; None where it was not played."""

    words: str
    paper: str
    judge: Callable[[Outcomes], Finding | None]


def _clearly(found: Difference | None, *, above: float = 0.0) -> bool:
    """More than two standard errors above."""
    return found is not None and found.stderr is not None and found.value - 2.0 * found.stderr > above


def _join(parts: Iterable[tuple[str, Difference | None]], places: int = 3, factor: float = 1.0) -> str:
    return "; ".join(
        f"{name} {factor * found.value:.{places}f} ± {factor * (found.stderr or 0.0):.{places}f}"
        for name, found in parts
        if found is not None
    )


def _ahead(
    study: str, settings: Iterable[str], name: str, other: str, measure: str, *, above: float = 0.0
) -> Callable[..., Finding | None]:
    """Whether one contestant is clearly ahead of another, by more than some per cent, in all settings."""
    wanted = tuple(settings)

    def judge(outcomes: Outcomes) -> Finding | None:
        gains = [(setting, outcomes.gain(study, setting, name, other, measure)) for setting in wanted]
        if any(found is None for _, found in gains):
            return None
        text = "; ".join(f"{setting}: {found} %" for setting, found in gains)
        return Finding(text=text, holds=all(_clearly(found, above=above) for _, found in gains))

    return judge


def _paired(outcomes: Outcomes, first: str, second: str, measure: str) -> Difference | None:
    """Mean over seeds of what one quit model has more than another."""
    mine, theirs = (outcomes.values(*_GENERATOR, name, measure) for name in (first, second))
    seeds = sorted(mine.keys() & theirs.keys())
    return Difference.of(np.array([mine[seed] - theirs[seed] for seed in seeds])) if seeds else None


def _mil(outcomes: Outcomes) -> Finding | None:
    difference = _paired(outcomes, _PAPER, "no MIL", "bag auc")
    if difference is None:
        return None
    both = [(name, outcomes.mean(*_GENERATOR, name, "bag auc")) for name in (_PAPER, "no MIL", "true hazards")]
    return Finding(text=_join(both), holds=_clearly(difference))


def _calibrated(before: str, after: str) -> Callable[[Outcomes], Finding | None]:
    def judge(outcomes: Outcomes) -> Finding | None:
        difference = _paired(outcomes, before, after, "rmse")
        if difference is None:
            return None
        both = [(name, outcomes.mean(*_GENERATOR, name, "rmse")) for name in (before, after)]
        return Finding(text=_join(both, 4), holds=_clearly(difference))

    return judge


def _discrimination(outcomes: Outcomes) -> Finding | None:
    names = (_PAPER, "noisy-or")
    found = {
        (name, each): outcomes.mean(*_GENERATOR, name, f"hazard {each}") for name in names for each in ("mean", "std")
    }
    parts = {key: each.value for key, each in found.items() if each is not None}
    if len(parts) < len(found):
        return None
    ratios = {name: parts[name, "std"] / parts[name, "mean"] for name in names}
    text = "; ".join(f"{name}: sd {parts[name, 'std']:.4f}, mean {parts[name, 'mean']:.4f}" for name in names)
    return Finding(text=text, holds=ratios[_PAPER] >= _DISCRIMINATES)


_DISCRIMINATES: Final = 0.25
"""Standard deviation over mean of a user's hazards from which we call them discriminating."""

_WEAK: Final = 0.3
"""Jaccard index below which we call two lists weakly related; that of random lists of 20 of 78 is about .15."""


def _weak(outcomes: Outcomes) -> Finding | None:
    found = [(name, outcomes.mean(*_GENERATOR, name, "jaccard")) for name in (_PAPER, "noisy-or")]
    jaccard = found[1][1]
    return None if jaccard is None else Finding(text=_join(found), holds=jaccard.value < _WEAK)


def _amount(measure: str) -> Callable[[Outcomes], Finding | None]:
    def judge(outcomes: Outcomes) -> Finding | None:
        texts = []
        for length, gains in PAPER_GAINS.items():
            found = needed_click_rate(outcomes, f"standard, T = {length}", gains[0])
            if found is None:
                return None
            gained = 1_000 * (found.clicks if measure == "clicks" else found.items)
            more = f", at a greedy click rate of {found.click_rate:.2f}; it would take {found.needed:.2f}"
            texts.append(f"T = {length}: {gained:+.0f}{more if measure == 'clicks' else ''}")
        return Finding(text="; ".join(texts), holds=None)

    return judge


def _growth(outcomes: Outcomes) -> Finding | None:
    found = [needed_click_rate(outcomes, setting, 0.0) for setting in _STANDARD]
    short, long = found
    if short is None or long is None:
        return None
    clicks, items = long.clicks / short.clicks, long.items / short.items
    return Finding(text=f"clicks x {clicks:.1f}, items x {items:.1f}", holds=min(clicks, items) > 2.5)


def _best_rate(outcomes: Outcomes) -> Finding | None:
    rates = {
        setting: {name: outcomes.mean("strategies", setting, name, "ctr") for name in ("greedy, repeats", "SSP")}
        for setting in _STANDARD
    }
    texts, holds = [], []
    for setting, by_name in rates.items():
        greedy, ssp = by_name["greedy, repeats"], by_name["SSP"]
        if greedy is None or ssp is None:
            return None
        texts.append(f"{setting}: greedy {greedy.value:.3f}, SSP {ssp.value:.3f}")
        holds.append(greedy.value > ssp.value)
    return Finding(text="; ".join(texts), holds=all(holds))


def _noise(reference: str, strategy: str) -> Callable[[Outcomes], Finding | None]:
    """Whether a strategy stays above a reference at all levels of noise, at T = 20 and 50."""

    def judge(outcomes: Outcomes) -> Finding | None:
        texts, holds = [], []
        for setting in ("standard", "wide hazards"):
            for length in (20, 50):
                measure = f"value, T = {length}"
                base, mine = (outcomes.curves("noise", setting, name, measure) for name in (reference, strategy))
                if not len(base):
                    return None
                percent = 100.0 * (mine / base - 1.0).mean(axis=0)
                below = np.flatnonzero(percent < 0.0)
                texts.append(
                    f"{setting}, T = {length}: {percent.min():+.1f} % at worst"
                    + (f", below from m = {below[0]}" if len(below) else "")
                )
                holds.append(len(below) == 0)
        return Finding(text="; ".join(texts), holds=all(holds))

    return judge


CLAIMS: Final = (
    Claim(words="Table 2: multiple instances improve the quit model's bag AUC", paper="improved", judge=_mil),
    Claim(
        words="Table 3: Platt improves the click model's RMSE",
        paper="significantly",
        judge=_calibrated("balanced logistic", "balanced logistic + Platt"),
    ),
    Claim(
        words="Table 3: Platt improves the quit model's RMSE (over pages)",
        paper="significantly",
        judge=_calibrated("MI-SVM, not calibrated", _PAPER),
    ),
    Claim(words="Table 4: quit probabilities differ between a user's items", paper="yes", judge=_discrimination),
    Claim(words="Table 5: top 20 by reward and by staying are weakly related (Jaccard)", paper="weak", judge=_weak),
    Claim(
        words="Table 6: with repeats, SSP has more clicks than Greedy",
        paper="yes",
        judge=_ahead("strategies", _STANDARD, "SSP", "greedy, repeats", "ipv"),
    ),
    Claim(
        words="Table 6: with repeats, SSP has longer sessions than Greedy",
        paper="yes",
        judge=_ahead("strategies", _STANDARD, "SSP", "greedy, repeats", "bl"),
    ),
    Claim(
        words="Table 6: with repeats, SSP has more clicks than Beam",
        paper="yes",
        judge=_ahead("strategies", _STANDARD, "SSP", "beam, repeats", "ipv"),
    ),
    Claim(words="Table 6: Greedy has the best click rate", paper="yes", judge=_best_rate),
    Claim(
        words="Table 6: clicks gained per 1,000 users",
        paper="+392.97 (T = 20), +1347.57 (T = 50)",
        judge=_amount("clicks"),
    ),
    Claim(
        words="Table 6: items gained per 1,000 users",
        paper="+1066.08 (T = 20), +4045.47 (T = 50)",
        judge=_amount("items"),
    ),
    Claim(words="Table 6: from T = 20 to 50 the gains grow more than 2.5 times", paper="3.4, 3.8", judge=_growth),
    Claim(
        words="Table 7: without repeats, the compromise beats Greedy",
        paper="yes",
        judge=_ahead("strategies", _STANDARD, "compromise", "greedy", "ipv"),
    ),
    Claim(
        words="Table 7: without repeats, the compromise beats Beam",
        paper="yes",
        judge=_ahead("strategies", _STANDARD, "compromise", "beam", "ipv"),
    ),
    Claim(
        words="sec. 5.5.2: the compromise is not optimal",
        paper="left open",
        judge=_ahead("strategies", _STANDARD, "exact", "compromise", "ipv"),
    ),
    Claim(words="Figure 6: under noise, the plan stays above Greedy", paper="yes", judge=_noise("greedy", "exact")),
    Claim(words="Figure 6: under noise, the plan stays above Beam", paper="yes", judge=_noise("beam", "exact")),
    Claim(
        words="Table 8: SSP has over 7 % more clicks than Greedy",
        paper="> 7 %",
        judge=_ahead("online", online.SETTINGS, "SSP", "Greedy", "ipv", above=7.0),
    ),
    Claim(
        words="the same with product Platt in place of Platt",
        paper="> 7 %",
        judge=_ahead("online", online.SETTINGS, "SSP, product Platt", "Greedy", "ipv", above=7.0),
    ),
    Claim(
        words="Table 8: SSP has more clicks than SSP_no_MIL",
        paper="yes",
        judge=_ahead("online", online.SETTINGS, "SSP", "SSP_no_MIL", "ipv"),
    ),
)


def claims_table(outcomes: Outcomes) -> str:
    """One row per claim."""
    rows = []
    for claim in CLAIMS:
        found = claim.judge(outcomes)
        text, verdict = ("", "not run") if found is None else (found.text, _verdict(found.holds))
        rows.append([claim.words, claim.paper, text, verdict])
    return table(("claim", "paper", "ours", "holds?"), rows)


def _verdict(holds: bool | None) -> str:
    return {True: "yes", False: "no", None: "cannot be told"}[holds]
