"""From `results.jsonl` alone to the tables of `README.md`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from experiments.outcomes import Outcomes
from experiments.records import Record, fill, processor_time, table
from experiments.session_planning import beliefs, clicks, eshop, online, pages, steps, strategies, tiring
from experiments.session_planning.bars import bars_table
from experiments.session_planning.claims import claims_table
from experiments.session_planning.figures import PAPER_GAINS, needed_click_rate
from experiments.session_planning.generator import CLICK_MODELS, QUIT_MODELS
from experiments.session_planning.noise import LEVELS
from experiments.session_planning.noise import SETTINGS as NOISY
from experiments.session_planning.units import LENGTHS
from experiments.texts import gain, mean

_GENERATOR: Final = ("generator", "standard")


GUIDE: Final = Path("docs") / "howto" / "planning-a-session.md"
"""The page that tells users what to take, below the root of the repository."""


def write(readme: Path, guide: Path, records: Sequence[Record]) -> None:
    """Renew all tables of the README and of the guide."""
    for name, text in made(records).items():
        fill(readme, name, text)
    for name, text in for_the_guide(records).items():
        fill(guide, name, text)


def for_the_guide(records: Sequence[Record]) -> dict[str, str]:
    """The few figures that users choose by."""
    outcomes = Outcomes(records)
    names = (
        "noisy-or",
        "no MIL + product Platt",
        "MI-SVM + product Platt",
        "no MIL",
        "MI-SVM + Platt (the paper)",
        "greedy",
    )
    lost = [(name, mean(outcomes, *_GENERATOR, name, "lost, T = 50", 2)) for name in names]
    alone = [
        (
            f"from clicks alone, {times}",
            mean(outcomes, "clicks", f"hazard 1/57, log x {n}", "no labels", "lost, T = 50", 2),
        )
        for n, times in ((1, "a log of that size"), (5, "five times the log"))
    ]
    gains = (
        ("exact, without repeats, T = 50", "strategies", "standard, T = 50", "exact", "greedy"),
        ("the paper's compromise, the same", "strategies", "standard, T = 50", "compromise", "greedy"),
        ("assignment, items with trends, T = 50", "steps", "items have trends, T = 50", "assignment", "compromise"),
        ("local search, moderate fatigue, T = 50", "tiring", "moderate, T = 50", "local search", "static exact"),
        ("page-aware, stay after any, T = 50", "pages", "stay after any", "page-aware", "exact, 1 - acceptance"),
    )
    rows = [
        [words, other, gain(outcomes, study, setting, name, other, "ipv")]
        for words, study, setting, name, other in gains
    ]
    return {
        "what quit models lose": table(("quit model", "lost, %"), [*lost, *alone]),
        "what planners gain": table(("planner", "over", "more clicks, %"), rows),
    }


def made(records: Sequence[Record]) -> dict[str, str]:
    """The tables by the name of their place in the README."""
    outcomes = Outcomes(records)
    return {
        "how it was run": processor_time(records, unit="minutes"),
        "claims": claims_table(outcomes),
        "bars": bars_table(outcomes),
        "click models": _click_models(outcomes),
        "quit models": _quit_models(outcomes),
        "hazards and rewards": _relations(outcomes),
        "tuning": _tuning(outcomes),
        "without repeats": _strategies(outcomes, (*strategies.WITHOUT_REPEATS,), "greedy"),
        "with repeats": _strategies(outcomes, ("greedy, repeats", "beam, repeats", "SSP"), "greedy, repeats"),
        "what the paper's gains need": _needed(outcomes),
        "noise": _noise(outcomes, "noise"),
        "noise, own priors": _noise(outcomes, "noise, own priors"),
        "beliefs": _beliefs(outcomes),
        "online": _online(outcomes),
        "clicks alone": _clicks(outcomes),
        "page models": _pages(outcomes),
        "steps": _steps(outcomes),
        "certificates": _certificates(outcomes),
        "fatigue": _tiring(outcomes),
        "e-shop": _eshop(outcomes),
    }


def _click_models(outcomes: Outcomes) -> str:
    rows = [
        [name, *(mean(outcomes, *_GENERATOR, name, measure, 4) for measure in ("auc", "rmse", "rmse by chance"))]
        for name in CLICK_MODELS
    ]
    return table(("click model", "AUC", "RMSE to binned rates", "RMSE that chance makes"), rows)


def _quit_models(outcomes: Outcomes) -> str:
    measures = ("log loss", "auc", "bag auc", "rmse", "ece", "curve gap", "logit rmse", "rank")
    places = (4, 3, 3, 4, 4, 3, 2, 3)
    rows = []
    for name in ("true hazards", "greedy", *QUIT_MODELS, "MI-SVM, not calibrated", "noisy-or x 0.5", "noisy-or x 2"):
        figures = [mean(outcomes, *_GENERATOR, name, each, n) for each, n in zip(measures, places, strict=True)]
        lost = [mean(outcomes, *_GENERATOR, name, f"lost, T = {length}", 2) for length in LENGTHS]
        refused = sum(outcomes.values(*_GENERATOR, name, "refused").values())
        rows.append([name, *figures, *lost, f"{refused:.0f}" if refused else ""])
    head = (
        "quit model",
        "page log-loss",
        "AUC",
        "bag AUC",
        "RMSE",
        "ECE",
        "survival gap",
        "RMSE of item logits",
        "rank correlation",
        "lost, T = 20, %",
        "lost, T = 50, %",
        "refused",
    )
    return table(head, rows)


def _relations(outcomes: Outcomes) -> str:
    measures = (("hazard mean", 4), ("hazard std", 4), ("jaccard", 3), ("ndcg", 3))
    rows = [
        [name, *(mean(outcomes, *_GENERATOR, name, measure, places) for measure, places in measures)]
        for name in QUIT_MODELS
    ]
    head = ("quit model", "mean of a user's hazards", "their sd", "Jaccard, top 20", "NDCG, top 20")
    return table(head, rows)


def _tuning(outcomes: Outcomes) -> str:
    where = ("tuning", "standard")
    rows = []
    for name in outcomes.contestants(*where):
        lost = [mean(outcomes, *where, name, f"lost, T = {length}", 2) for length in LENGTHS]
        rows.append([name, *lost, f"{sum(outcomes.values(*where, name, 'refused').values()):.0f}"])
    return table(("MI-SVM + ...", "lost, T = 20, %", "lost, T = 50, %", "refused"), rows)


def _strategies(outcomes: Outcomes, names: Sequence[str], reference: str) -> str:
    rows = []
    for setting in strategies.SETTINGS:
        for name in names:
            where = ("strategies", setting, name)
            rows.append(
                [
                    setting,
                    name,
                    mean(outcomes, *where, "ipv", 3),
                    mean(outcomes, *where, "bl", 2),
                    mean(outcomes, *where, "ctr", 4),
                    *(gain(outcomes, *where, reference, measure) for measure in ("ipv", "bl")),
                ]
            )
    head = ("population", "strategy", "IPV", "BL", "CTR", f"IPV over {reference}, %", f"BL over {reference}, %")
    return table(head, rows)


def _needed(outcomes: Outcomes) -> str:
    rows = []
    for length, (clicks_gained, items_gained) in PAPER_GAINS.items():
        for name in strategies.POPULATIONS:
            found = needed_click_rate(outcomes, f"{name}, T = {length}", clicks_gained)
            if found is not None:
                rows.append(
                    [
                        f"{length}",
                        name,
                        f"{1_000 * found.clicks:+.0f} (paper {clicks_gained:+.2f})",
                        f"{1_000 * found.items:+.0f} (paper {items_gained:+.2f})",
                        f"{found.click_rate:.3f}",
                        f"{found.needed:.3f}",
                    ]
                )
    head = (
        "T",
        "population",
        "clicks gained per 1,000 users",
        "items gained per 1,000 users",
        "greedy click rate here",
        "greedy click rate at which clicks gained would be the paper's",
    )
    return table(head, rows)


def _noise(outcomes: Outcomes, study: str) -> str:
    rows = []
    for setting in NOISY:
        for length in LENGTHS:
            measure = f"value, T = {length}"
            base = outcomes.curves(study, setting, "greedy", measure)
            for name in outcomes.contestants(study, setting):
                if name == "greedy":
                    continue
                curves = outcomes.curves(study, setting, name, measure)
                percent = 100.0 * (curves - base) / base.mean(axis=0)
                rows.append([f"{setting}, T = {length}", name, *_with_errors(percent)])
    return table(("population", "strategy", *(f"m = {level}" for level in LEVELS)), rows)


def _beliefs(outcomes: Outcomes) -> str:
    rows = [
        [setting, name, *(mean(outcomes, "beliefs", setting, name, f"lost, T = {length}", 2) for length in LENGTHS)]
        for setting in beliefs.SETTINGS
        for name in outcomes.contestants("beliefs", setting)
    ]
    return table(("learned from", "planned by", "lost, T = 20, %", "lost, T = 50, %"), rows)


def _with_errors(per_seed: np.ndarray) -> list[str]:
    n = len(per_seed)
    if n < 2:
        return [f"{each:+.2f}" for each in per_seed.mean(axis=0)]
    errors = per_seed.std(axis=0, ddof=1) / np.sqrt(n)
    return [f"{each:+.2f} ± {error:.2f}" for each, error in zip(per_seed.mean(axis=0), errors, strict=True)]


def _online(outcomes: Outcomes) -> str:
    rows = []
    for setting in online.SETTINGS:
        for name in ("Greedy", "SSP_no_MIL", "SSP", "SSP, product Platt", "exact, noisy-or", "ours"):
            where = ("online", setting, name)
            figures = [mean(outcomes, *where, each, places) for each, places in (("ipv", 3), ("bl", 2), ("ctr", 4))]
            rows.append([setting, name, *figures, *(gain(outcomes, *where, "Greedy", each) for each in ("ipv", "bl"))])
    return table(("world", "strategy", "IPV", "BL", "CTR", "IPV over Greedy, %", "BL over Greedy, %"), rows)


def _clicks(outcomes: Outcomes) -> str:
    rows = []
    for setting in clicks.SETTINGS:
        n_pages = mean(outcomes, "clicks", setting, "log", "pages", 0)
        for name in ("greedy", "no labels", "labels", "noisy-or with labels"):
            lost = [mean(outcomes, "clicks", setting, name, f"lost, T = {length}", 2) for length in LENGTHS]
            rows.append([setting, n_pages, name, *lost])
    return table(("world", "pages", "learned from", "lost, T = 20, %", "lost, T = 50, %"), rows)


def _pages(outcomes: Outcomes) -> str:
    rows = []
    for setting in pages.SETTINGS:
        chosen = outcomes.values("pages", setting, "choice", "rightly")
        rightly = f"{sum(chosen.values()):.0f} of {len(chosen)}"
        survived = mean(outcomes, "pages", setting, "choice", "page survival", 3)
        gains = [
            gain(outcomes, "pages", setting, name, "exact, 1 - acceptance", "ipv")
            for name in ("greedy", "exact, noisy-or", "page-aware", "page-aware, truth")
        ]
        rows.append([setting, survived, rightly, *gains])
    head = (
        "world",
        "pages survived",
        "page model rightly chosen",
        "greedy",
        "exact by items, noisy-or",
        "page-aware",
        "page-aware, truth",
    )
    return table(head, rows)


def _steps(outcomes: Outcomes) -> str:
    rows = [
        [setting, name, *(gain(outcomes, "steps", setting, name, other, "ipv") for other in ("compromise", "greedy"))]
        for setting in steps.SETTINGS
        for name in steps.PLANNERS
    ]
    return table(("world", "planner", "over the compromise, %", "over greedy, %"), rows)


def _certificates(outcomes: Outcomes) -> str:
    rows = []
    for setting in steps.SETTINGS:
        gaps = [
            mean(outcomes, "steps", setting, f"{name} bound", "gap", 2, factor=100.0)
            for name in ("occupancy", "grid", "repeats")
        ]
        rows.append([setting, *gaps])
    return table(("world", "occupancy bound, %", "grid bound, %", "repeats allowed, %"), rows)


def _tiring(outcomes: Outcomes) -> str:
    rows = [
        [setting, name, gain(outcomes, "tiring", setting, name, "static exact", "ipv")]
        for setting in tiring.SETTINGS
        for name in ("greedy", "replanned at each page of 10", "replanned at each item", "local search")
    ]
    return table(("fatigue", "planned by", "over the static exact plan, %"), rows)


def _eshop(outcomes: Outcomes) -> str:
    rows = [
        [name, *(mean(outcomes, study, name, "scores", each, 4) for each in ("log_loss", "auc", "ece"))]
        for study, names in (("e-shop", eshop.SETTINGS), ("e-shop, trees", eshop.SEEDED))
        for name in names
    ]
    return table(("quit model", "log-loss", "AUC", "ECE"), rows)
