"""Learning: how policies fare in a simulated feed whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from sojourn import config, recipes
from sojourn.errors import ConfigError
from sojourn.exposure import PositionBasedModel
from sojourn.interfaces import Environment, Policy
from sojourn.jobs.completing import completed
from sojourn.logs.datasets import click_model_parameters
from sojourn.records import FloatArray, LogBatch
from sojourn.reporting import Column, Figure, Section, Table, Text, count, percent, plots
from sojourn.simulation import Comparison, QueryPages, compare, simulate_log, worlds
from sojourn.simulation.taobao_like import taobao_like


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """A simulated feed to learn in.

    Parameters
    ----------
    name
        What reports call it.
    about
        What it is, in a sentence.
    make
        Makes the feed of a seed.
    """

    name: str
    about: str
    make: Callable[[int], Environment]


_FADING = "slots that are looked at less the lower they stand"

PRESETS: Final[dict[str, tuple[Callable[..., Environment], str]]] = {
    "lin": (worlds.lin, f"people with tastes, and {_FADING}"),
    "logit": (worlds.logit, f"tastes that no linear model gets right, and {_FADING}"),
    "weakltr": (worlds.weakltr, f"people with tastes, {_FADING}, and a production ranker that knows next to nothing"),
    "scroll": (worlds.scroll, "people with tastes who scroll down to a depth of their own"),
    "cannibal": (worlds.cannibal, f"items that take clicks from similar ones below them, and {_FADING}"),
    "leaving": (worlds.leaving, "people with tastes, whom items drive away"),
    "taobao_like": (taobao_like, f"a shop's 56 features of item and person, and {_FADING}"),
}
"""Named worlds, each with what it is."""


def preset(name: str, *, n_slots: int) -> World:
    """A world of `PRESETS`."""
    if name not in PRESETS:
        raise ConfigError(f"world: expected one of {', '.join(PRESETS)}; got {name!r}")
    make, about = PRESETS[name]
    return World(
        name=name,
        about=f"900 items, {n_slots} slots, {about}",
        make=lambda seed: make(seed=seed, n_slots=n_slots),
    )


def query_pages(path: str | Path, *, click_model: str, n_queries: int, n_slots: int) -> World:
    """Result pages of the first queries under one of the click models that were fitted to Yandex logs."""
    parameters = click_model_parameters.load(path)
    if click_model not in CLICK_MODELS:
        raise ConfigError(f"click model: expected one of {', '.join(CLICK_MODELS)}; got {click_model!r}")
    models = dict(islice(getattr(parameters, click_model).items(), n_queries))
    return World(
        name=f"query pages, {click_model.upper()}",
        about=f"{len(models)} queries of ten documents, {n_slots} slots, clicks by the fitted {click_model.upper()}",
        make=lambda _: QueryPages(models, n_slots=n_slots),
    )


CLICK_MODELS: Final = ("pbm", "cm", "dcm", "dbn", "ccm", "ubm")

RECIPES: Final = ("logged_order", "linucb_k", "linucb_k_sw", "iba_linucb", "iba_linucb_sw")
"""Policies compared unless others are asked for; the first is what the others are held against."""

WEIGHT_PAGES: Final = 10_000
"""Uniformly random pages from which the corrected policies' weights and click models are learned."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Learning:
    """Policies that learned in the same simulated feed.

    Parameters
    ----------
    comparison
        Curves and paired differences.
    world
        Where.
    weights : (n_slots,) float
        Examination by position, estimated from random pages. Corrected policies were given these, or the weights by
        last click or the click model that their recipes ask for, from the same pages.
    """

    comparison: Comparison
    world: World
    weights: FloatArray

    @property
    def n_rounds(self) -> int:
        """Rounds that each policy played in each seed."""
        return int(self.comparison.runs.select(pl.col("round").max()).item())

    @property
    def finding(self) -> str:
        """Who earned most, in a sentence, and whether the next one can be told from it."""
        reference = self.comparison.policies[0]
        ranked = self.comparison.table().sort("expected_clicks", descending=True)
        best = ranked.row(0, named=True)
        if best["policy"] == reference:
            return f"In the simulated feed no policy earns more than {reference}."
        base = best["expected_clicks"] - best["difference"]
        stderr = best["difference_se"]
        doubt = "" if stderr is None else f" ± {100 * stderr / base:.1f}"
        return (
            f"In a simulated feed **{best['policy']} earns {best['difference_percent']:.1f}{doubt} %"
            f" more clicks than {reference}** after {count(self.n_rounds, 'round')}{self._runner_up(ranked)}."
        )

    def _runner_up(self, ranked: pl.DataFrame) -> str:
        first, second = ranked["policy"].to_list()[:2]
        if second == self.comparison.policies[0]:
            return ""
        z = self.comparison.table(second).filter(policy=first)["z"].item()
        return f"; {second} is not told apart from it" if z is None or abs(z) < 2.0 else f", and more than {second}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        about = {"world": self.world.name, "weights": self.weights.tolist()}
        return about | self.comparison.to_dict()

    def section(self) -> Section:
        """How policies learn, for the report."""
        curves = self.comparison.curves()
        names = self.comparison.policies
        per_policy = [curves.filter(pl.col("policy") == name) for name in names]
        rounds = per_policy[0]["round"].to_numpy()
        n_seeds = self.comparison.runs["seed"].n_unique()

        def stacked(column: str, scale: float | FloatArray = 1.0) -> FloatArray:
            return np.stack([frame[column].fill_null(0.0).to_numpy() * scale for frame in per_policy])

        return Section(
            "How policies learn in a simulated feed",
            [
                Text(
                    f"The world “{self.world.name}”: {self.world.about}. All policies meet the same people; the truth "
                    f"is known, so regret is exact. The corrected policies know what is seen from {WEIGHT_PAGES:,} "
                    f"random pages; by position that is {', '.join(percent(each, 2) for each in self.weights)}."
                ),
                Figure(
                    plots.learning_curves(
                        rounds, stacked("clicks", 1.0 / rounds), stacked("clicks_se", 1.0 / rounds), names
                    ),
                    f"Clicks per round so far, mean of {n_seeds} seeds with bands of one standard error.",
                ),
                Figure(
                    plots.regret_curves(rounds, stacked("regret"), stacked("regret_se"), names),
                    "Expected clicks lost so far against the best slates.",
                ),
                self._table(),
            ],
        )

    def _table(self) -> Table:
        frame = self.comparison.table().select(
            "policy",
            pl.col("expected_clicks").alias("expected clicks"),
            "expected_clicks_se",
            "regret",
            "regret_se",
            pl.col("set_reward").alias("pages with a click"),
            "set_reward_se",
            pl.col("difference_percent").alias("difference, %"),
            pl.col("z"),
        )
        return Table(
            frame,
            f"After the last round: means over seeds with standard errors. The difference is in expected clicks, to "
            f"{self.comparison.policies[0]}, paired by seed; z is the difference over its standard error.",
            {
                "expected clicks": Column(stderr="expected_clicks_se", digits=4),
                "regret": Column(stderr="regret_se"),
                "pages with a click": Column(stderr="set_reward_se", digits=4),
                "difference, %": Column(digits=3),
                "z": Column(digits=2),
            },
        )


def learn(
    world: World,
    policies: Mapping[str, config.Spec] | None = None,
    *,
    n_rounds: int = 2_000,
    seeds: Sequence[int] = range(5),
    progress: Callable[[int, int], None] | None = None,
) -> Learning:
    """Let policies learn online in a simulated feed.

    Parameters
    ----------
    world
        Where.
    policies
        Name -> ``[policy]`` table; recipes that need examination weights or a click model are given those of the random
        pages, and to policies that plan sessions a page is one. `RECIPES` unless given.
    n_rounds
        Pages per seed.
    seeds
        Each makes its own world and people.
    progress
        Called with (rounds done, rounds in all).
    """
    feed = world.make(min(seeds))
    request = feed.request(rng=np.random.default_rng(0))
    pages = _random_pages(feed)
    specs = policies or {name: {"recipe": name} for name in RECIPES}

    def factory(spec: config.Spec) -> Callable[[int], Policy]:
        complete = completed(config.informed(spec, {"n_steps": request.n_slots}), pages).spec
        n_features = request.features.shape[1]
        return lambda _: config.build_policy(complete, n_features=n_features, n_slots=request.n_slots)

    comparison = compare(
        {name: factory(spec) for name, spec in specs.items()},
        world.make,
        n_rounds=n_rounds,
        seeds=seeds,
        progress=progress,
    )
    return Learning(comparison=comparison, world=world, weights=PositionBasedModel().fit(pages).weights)


def _random_pages(feed: Environment) -> LogBatch:
    """What a feed's owner learns attention from: random pages, before anything else is learned."""
    return simulate_log(feed, recipes.uniform(), WEIGHT_PAGES, rng=np.random.default_rng(0))
