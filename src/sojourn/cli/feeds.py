"""Living feeds as the command line names them: by a preset, a file, a log that they are to be like, or their people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sojourn import config
from sojourn.cli.logs import opened, warn_of_bad_rows
from sojourn.cli.terminal import Stages, err
from sojourn.errors import ConfigError
from sojourn.jobs.likeness import Likeness, fit_feed
from sojourn.simulation.live import PRESETS, LiveSettings, live_settings
from sojourn.simulation.live.movielens import movielens_population
from sojourn.simulation.live.population import Population

FEW: Final = {"days": 10, "n_sessions": 300}
"""Sizes of a feed that is not of a file, unless others are asked for."""

MOVIELENS: Final = "movielens"
"""The preset ``all`` with people and items of MovieLens."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A feed to live in.

    Parameters
    ----------
    name
        What reports call it.
    settings
        What it is like.
    population
        Who lives there and what there is, if that is not drawn.
    likeness
        What came of fitting it to a log, if it was.
    """

    name: str
    settings: LiveSettings
    population: Population | None = None
    likeness: Likeness | None = None


def is_feed(world: str) -> bool:
    """True if the name may be that of a living feed."""
    return world in (*PRESETS, MOVIELENS) or world.endswith(".toml")


def named(world: str, sizes: Mapping[str, int]) -> Place:
    """A preset, or the ``[feed]`` table of a TOML file; sizes go before those of either."""
    if not world.endswith(".toml"):
        preset = "all" if world == MOVIELENS else world
        return Place(name=world, settings=live_settings({"preset": preset} | FEW | dict(sizes)))
    tables = config.read(world)
    if not isinstance(tables.get("feed"), dict):
        raise ConfigError(f"{world}: expected a [feed] table, got {', '.join(tables) or 'nothing'}")
    return Place(name=Path(world).stem, settings=live_settings(tables["feed"] | sizes))


def fitted(
    log: Path,
    sizes: Mapping[str, int],
    *,
    items: Path | None,
    users: Path | None,
    requests: Path | None,
    strict: bool,
    seed: int,
    save: Path | None,
) -> Place:
    """A feed in the likeness of a log, whose settings are saved with the sizes of the log."""
    with Stages() as stage:
        stage("read and check the log")
        read = opened(log, items=items, users=users, requests=requests, strict=strict)
        likeness = fit_feed(read, seed=seed, progress=stage("fit the feed"))
    warn_of_bad_rows(read)
    if save is not None:
        _save(likeness, save)
    few = FEW | dict(sizes)
    settings = replace(likeness.settings, days=few["days"], n_sessions=few["n_sessions"])
    return Place(name=f"like {log.name}", settings=settings, likeness=likeness)


def with_films(place: Place, path: Path | None, *, seed: int) -> Place:
    """The same with the tastes of MovieLens; those of the installed package unless a path is given."""
    population = movielens_population(path, n_dims=place.settings.n_dims, seed=seed)
    name = place.name if place.name == MOVIELENS else f"{place.name}, MovieLens"
    return replace(place, name=name, settings=population.sized(place.settings), population=population)


def _save(likeness: Likeness, path: Path) -> None:
    try:
        path.write_text(likeness.to_toml(), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: expected a place for the feed's settings: {error}") from error
    err.print(f"world: {path}", markup=False, highlight=False, soft_wrap=True)
