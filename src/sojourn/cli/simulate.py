"""``sojourn simulate``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import typer

from sojourn.cli import feeds
from sojourn.cli import simulate_options as options
from sojourn.cli.options import AsJson, ConfigFile, Html, Seed
from sojourn.cli.policies import one_spec
from sojourn.cli.simulating_feeds import simulate_feed
from sojourn.cli.simulating_pages import simulate_pages
from sojourn.errors import ConfigError
from sojourn.jobs import learning
from sojourn.jobs.living_policies import Inhabitant, inhabitant

_WORLDS: Final = ("query_pages", "fit", "world")
_BESIDE: Final = {
    "click_model": "query_pages",
    "queries": "query_pages",
    **dict.fromkeys(("items", "users", "requests", "strict", "save_world"), "fit"),
}
_OF_FEEDS: Final = {
    "days": "which counts --rounds",
    "sessions": "which counts --rounds",
    "log": "whose policies learn in memory",
    "movielens": "which has people of its own",
}
_OF_PAGES: Final = {
    "rounds": "which counts --days of --sessions",
    "slots": "whose [feed] table in a TOML file has page_size for it",
}


def simulate(
    context: typer.Context,
    world: options.World = "all",
    policy: options.Policies = None,
    config_file: ConfigFile = None,
    seeds: options.Seeds = None,
    seed: Seed = 0,
    json_: AsJson = False,
    html: Html = None,
    days: options.Days = None,
    sessions: options.Sessions = None,
    log: options.LogFolder = None,
    movielens: options.MovieLens = None,
    fit: options.Fit = None,
    items: options.FitItems = None,
    users: options.FitUsers = None,
    requests: options.FitRequests = None,
    strict: options.FitStrict = False,
    save_world: options.SaveWorld = None,
    slots: options.Slots = 3,
    rounds: options.Rounds = 2_000,
    query_pages: options.QueryPagesOption = None,
    click_model: options.ClickModelOption = "dbn",
    queries: options.Queries = 12,
) -> None:
    """Let policies learn where the truth is known: in a feed that lives for days, or page by page."""
    _expect_one_world(context)
    who = [_of_file(Path(each)) if each.endswith(".toml") else inhabitant(each) for each in policy or ()]
    who += [] if config_file is None else [_of_file(config_file)]
    if query_pages is not None or (fit is None and world in learning.PRESETS):
        pages = (
            learning.preset(world, n_slots=slots)
            if query_pages is None
            else learning.query_pages(query_pages, click_model=click_model, n_queries=queries, n_slots=slots)
        )
        _refuse(context, _OF_FEEDS, options.FEEDS, f"the world of pages {pages.name!r}")
        first = range(seed, seed + (seeds or 5))
        simulate_pages(pages, who, n_rounds=rounds, seeds=first, json_=json_, html=html)
        return
    if fit is None and not feeds.is_feed(world):
        raise ConfigError(f"world: expected {options.FEEDS}, or {options.PAGES}; got {world!r}")
    _refuse(context, _OF_PAGES, options.PAGES, f"the living feed {fit.name if fit else world!r}")
    sizes = {key: value for key, value in (("days", days), ("n_sessions", sessions)) if value is not None}
    if fit is None:
        place = feeds.named(world, sizes)
    else:
        tables = {"items": items, "users": users, "requests": requests}
        place = feeds.fitted(fit, sizes, **tables, strict=strict, seed=seed, save=save_world)
    if movielens is not None or world == feeds.MOVIELENS:
        place = feeds.with_films(place, movielens, seed=seed)
    first = range(seed, seed + (seeds or 2))
    simulate_feed(place, who, seeds=first, logs=log, json_=json_, html=html, command="sojourn simulate")


def _of_file(path: Path) -> Inhabitant:
    spec = one_spec("", path)
    return Inhabitant(name=str(spec.get("name", path.stem)), spec=spec)


def _expect_one_world(context: typer.Context) -> None:
    """Refuse two worlds at once, and options of one that was not chosen."""
    chosen = [name for name in _WORLDS if _is_given(context, name)]
    if len(chosen) > 1:
        one, other = (_option(name) for name in chosen[:2])
        raise ConfigError(
            f"{one}: expected no {other} beside it, got {context.params[chosen[1]]}; each is a world, leave one out"
        )
    for name, other in _BESIDE.items():
        if _is_given(context, name) and not _is_given(context, other):
            got = context.params[chosen[0] if chosen else "world"]
            raise ConfigError(f"{_option(name)}: expected {_option(other)} beside it, got the world {str(got)!r}")


def _refuse(context: typer.Context, reasons: Mapping[str, str], expected: str, got: str) -> None:
    """Refuse options that mean nothing in the world that was chosen."""
    for name, reason in reasons.items():
        if _is_given(context, name):
            raise ConfigError(f"{_option(name)}: expected {expected}, got {got}, {reason}")


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
