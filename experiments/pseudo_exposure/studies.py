"""The studies: which contestants meet where, for how long, and in what order the units of work are done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from experiments.pseudo_exposure.knowledge import Sizes
from experiments.pseudo_exposure.policies import CONTESTANTS, PAPER, STRENGTHS, TUNED, Contestant
from experiments.pseudo_exposure.worth import WORTH

Protocol = Literal["online", "replay"]

FULL, SMALL = Sizes(), Sizes(random_pages=150, production_pages=150)

_FIRST_SEEDS: Final = 6
"""Seeds of the curves that are played before the other studies."""

TUNING_SEED: Final = 1000
"""Seeds from here on are for tuning alone."""

MAIN_WORLDS: Final = ("lin", "logit", "scroll", "cannibal", "weakltr")
QUERY_WORLDS: Final = ("pages, PBM", "pages, UBM", "pages, DBN", "pages, CCM")
LEAVING_WORLDS: Final = ("leaving", "leaving, strong", "leaving, all alike")

_TUNED_IN: Final[dict[str, tuple[Protocol, str] | str]] = {
    "taobao_like": "lin",
    **dict.fromkeys(LEAVING_WORLDS, "lin"),
    **dict.fromkeys(QUERY_WORLDS, "pages, PBM"),
    "yandex": ("online", "pages, PBM"),
}


def tuned_in(protocol: Protocol, world: str) -> tuple[Protocol, str]:
    """Protocol and world whose tuned strengths count here: its own, or those of one that is like it.

    Online, `weakltr` is `lin` with another production ranker, and learners do not look at that.
    """
    if (protocol, world) == ("online", "weakltr"):
        return protocol, "lin"
    like = _TUNED_IN.get(world, world)
    return (protocol, like) if isinstance(like, str) else like


_ONLINE_ORACLES = ("oracle: true weights", "oracle: most attractive", "oracle: best slate")
_REPLAY_ORACLES = ("oracle: true weights", "oracle: most attractive", "oracle: attraction x logged slot")
_BEYOND = ("default_bandit", "ubm_linucb", "linucb_k_sw", "shared_hybrid_sw", "linucb_similarity_sw")
_SAMPLING = ("lints_k_sw", "iba_lints_sw", "iba_hybrid_ts_sw")
_WARM = ("linucb_k_sw, warm .1", "linucb_k_sw, warm 1", "iba_linucb, warm 1", "default_bandit, warm 1")
_ALL = (
    *PAPER,
    "iba_hybrid_ucb_sw, aggregate",
    *_BEYOND,
    "linucb_k_posterior",
    "linucb_k_scroll",
    *_SAMPLING,
    *_WARM,
    "self_correcting, PBM",
    "self_correcting, scroll",
)
_RANKER_MATTERS = (
    "logged_order",
    "default_bandit",
    "lambdamart",
    "linucb_k",
    "iba_linucb",
    "iba_linucb_sw",
    "iba_hybrid_ucb_sw",
    "linucb_k_sw",
    *_WARM,
)
_SHOP = (*PAPER, "default_bandit", "ubm_linucb", "linucb_k_sw")
_QUERY = (
    "logged_order",
    "uniform",
    "pbm_ucb",
    "linucb_k",
    "rba_linucb",
    "iba_linucb",
    "iba_linucb_sw",
    "default_bandit",
    "ubm_linucb",
    "linucb_k_sw",
    "linucb_k_posterior",
    "linucb_k_scroll",
    "lints_k_sw",
)
_SLOTS = (
    "logged_order",
    "linucb_k",
    "iba_linucb",
    "iba_linucb_sw",
    "iba_hybrid_ucb_sw",
    "default_bandit",
    "ubm_linucb",
    "linucb_k_sw",
    "shared_hybrid_sw",
)
_REGRET = ("linucb_k", "linucb_k_sw", "iba_linucb", "iba_linucb_sw", "lints_k_sw")


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What one process does at a time: all contestants of one world and seed, who meet the same people.

    Parameters
    ----------
    study
    protocol
        ``online``: they choose among all candidates. ``replay``: they choose among the items of logged pages.
    world, n_slots, seed
    n_rounds
        Online rounds, or logged pages before those without a click are dropped.
    entrants
        Names, each with the strength that is tried; None for the one that was tuned.
    sizes
    """

    study: str
    protocol: Protocol
    world: str
    n_slots: int
    seed: int
    n_rounds: int
    entrants: tuple[tuple[str, float | None], ...]
    sizes: Sizes = FULL

    def contestant(self, name: str) -> Contestant:
        """The contestant of that name in this study."""
        return WORTH[name] if self.study == "worth" else CONTESTANTS[name]

    def tuned(self, name: str) -> tuple[Protocol, str, str] | None:
        """Protocol, world and contestant whose tuned strength it takes; None if it has none."""
        contestant = self.contestant(name)
        if contestant.tuned_as is None:
            return None
        return (*tuned_in("replay" if contestant.offline else self.protocol, self.world), contestant.tuned_as)

    def key(self, policy: str, alpha: float | None) -> tuple[object, ...]:
        """What tells its records from others, in the order of `KEY`."""
        return self.study, self.protocol, self.world, self.n_slots, self.seed, policy, alpha


KEY: Final = ("study", "protocol", "world", "n_slots", "seed", "policy", "alpha")
"""Fields that tell one record from another."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Units that differ in world, slots and seed alone."""

    study: str
    protocol: Protocol
    worlds: Sequence[str]
    slots: Sequence[int]
    n_rounds: int
    names: Sequence[str]
    most_seeds: int = 1_000

    def units(self, n_seeds: int) -> list[Unit]:
        """For the first seeds of the study."""
        tuning = self.study == "tune"
        alphas: tuple[float | None, ...] = STRENGTHS if tuning else (None,)
        first = TUNING_SEED if tuning else 0
        return [
            Unit(
                study=self.study,
                protocol=self.protocol,
                world=world,
                n_slots=n_slots,
                seed=first + seed,
                n_rounds=self.n_rounds,
                entrants=tuple((name, alpha) for name in self.names for alpha in alphas),
            )
            for seed in range(min(n_seeds, self.most_seeds))
            for world in self.worlds
            for n_slots in self.slots
        ]


_ALL_SLOTS = (1, 2, 3, 4, 6, 9, 12)
_THREE_WORLDS = ("lin", "scroll", "cannibal")

CELLS: Final = (
    Cell(
        study="tune",
        protocol="online",
        worlds=MAIN_WORLDS[:-1],
        slots=(3,),
        n_rounds=2_000,
        names=TUNED["online"],
        most_seeds=2,
    ),
    Cell(
        study="tune",
        protocol="replay",
        worlds=MAIN_WORLDS,
        slots=(3,),
        n_rounds=2_000,
        names=TUNED["replay"],
        most_seeds=2,
    ),
    Cell(
        study="tune",
        protocol="online",
        worlds=QUERY_WORLDS[:1],
        slots=(3,),
        n_rounds=1_000,
        names=tuple(name for name in _QUERY if name in TUNED["online"]),
        most_seeds=2,
    ),
    Cell(
        study="curves",
        protocol="online",
        worlds=MAIN_WORLDS[:-1],
        slots=(3,),
        n_rounds=5_000,
        names=(*_ALL, *_ONLINE_ORACLES),
    ),
    Cell(
        study="curves",
        protocol="online",
        worlds=MAIN_WORLDS[:-1],
        slots=(6,),
        n_rounds=2_000,
        names=(*PAPER, *_BEYOND, *_ONLINE_ORACLES),
        most_seeds=6,
    ),
    Cell(
        study="curves",
        protocol="online",
        worlds=MAIN_WORLDS[-1:],
        slots=(3,),
        n_rounds=5_000,
        names=(*_RANKER_MATTERS, *_ONLINE_ORACLES),
    ),
    Cell(
        study="curves",
        protocol="replay",
        worlds=(*MAIN_WORLDS, "taobao_like"),
        slots=(3,),
        n_rounds=10_000,
        names=(*PAPER, *_BEYOND, *_REPLAY_ORACLES),
    ),
    Cell(
        study="curves",
        protocol="replay",
        worlds=(*MAIN_WORLDS, "taobao_like"),
        slots=(6,),
        n_rounds=4_000,
        names=(*PAPER, *_BEYOND, *_REPLAY_ORACLES),
        most_seeds=6,
    ),
    Cell(
        study="curves",
        protocol="online",
        worlds=("taobao_like",),
        slots=(3, 6),
        n_rounds=1_000,
        names=(*_SHOP, *_ONLINE_ORACLES),
    ),
    Cell(
        study="curves",
        protocol="online",
        worlds=QUERY_WORLDS,
        slots=(3,),
        n_rounds=2_000,
        names=(*_QUERY, *_ONLINE_ORACLES[1:]),
    ),
    Cell(
        study="curves",
        protocol="replay",
        worlds=("yandex",),
        slots=(3,),
        n_rounds=2_000,
        names=_QUERY,
    ),
    Cell(
        study="slots",
        protocol="online",
        worlds=_THREE_WORLDS,
        slots=_ALL_SLOTS,
        n_rounds=1_000,
        names=_SLOTS,
        most_seeds=2,
    ),
    Cell(
        study="slots",
        protocol="replay",
        worlds=_THREE_WORLDS,
        slots=_ALL_SLOTS,
        n_rounds=3_000,
        names=_SLOTS,
        most_seeds=2,
    ),
    Cell(
        study="regret",
        protocol="online",
        worlds=("lin", "logit"),
        slots=(3,),
        n_rounds=30_000,
        names=_REGRET,
        most_seeds=4,
    ),
    Cell(
        study="worth",
        protocol="online",
        worlds=(*LEAVING_WORLDS, "lin", "scroll"),
        slots=(3, 6),
        n_rounds=1_500,
        names=tuple(WORTH),
        most_seeds=3,
    ),
)

STUDIES: Final = tuple(dict.fromkeys(cell.study for cell in CELLS))
"""Names, `tune` first: the others take what it found."""


def units(studies: Iterable[str], *, n_seeds: int, without: Iterable[str] = ()) -> list[Unit]:
    """The units of some studies: tuning, which is always among them, then the curves, the others, and more curves.

    Within each of these they come seed by seed, so that all worlds have equally many if the work is cut short.
    """
    wanted, left_out = {"tune", *studies}, set(without)
    chosen = [
        unit for cell in CELLS if cell.study in wanted for unit in cell.units(n_seeds) if unit.world not in left_out
    ]
    return sorted(chosen, key=lambda unit: (_phase(unit), unit.seed))


def _phase(unit: Unit) -> int:
    if unit.study == "tune":
        return 0
    if unit.study != "curves":
        return 2
    return 1 if unit.seed < _FIRST_SEEDS else 3


def miniature(unit: Unit) -> Unit | None:
    """The unit with a few rounds, for a trial of everything in seconds; None where a likeness is there already."""
    if unit.study == "slots" and unit.n_slots not in (1, 3, 12):
        return None
    if unit.seed % TUNING_SEED > (unit.study in ("curves", "regret") and unit.n_slots == 3):
        return None
    entrants = tuple((name, alpha) for name, alpha in unit.entrants if alpha in (None, 0.1, 0.3))
    return replace(unit, n_rounds=60 if unit.protocol == "replay" else 8, entrants=entrants, sizes=SMALL)
