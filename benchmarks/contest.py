"""What a row of the benchmark says: who competes, at what, and what counts as good enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

Step = Callable[[], object]
"""One unit of work. What it returns is the answer; a `Timed` one has been clocked by the step itself."""


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Seconds that a step has measured itself, where the clock around it would measure something else."""

    seconds: float
    answer: object = None


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A library that does the work of a case.

    Parameters
    ----------
    name
        As in the table.
    build
        Function at the top of a row's file; given the case's parameters, it prepares a `Step`. It is called in the
        contender's own environment, so it imports its library inside.
    packages
        Distributions whose versions are reported.
    environment
        Which Python runs it.
    checkout
        Environment variable that holds the path of a checkout, for a library that no registry has.
    setup
        Further parameters of ``build`` for this contender alone.
    differs
        How its work differs from ours; shown below the table.
    """

    name: str
    build: Callable[..., Step]
    packages: tuple[str, ...] = ()
    environment: Literal["sojourn", "peers"] = "peers"
    checkout: str | None = None
    setup: Mapping[str, Any] = field(default_factory=dict)
    differs: str = ""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A figure measured several times."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.values)

    def as_dict(self) -> dict[str, float]:
        """For `results.json`."""
        return {"median": self.median, "min": min(self.values), "max": max(self.values)}


@dataclass(frozen=True, kw_only=True)
class Score:
    """What was measured of one contender.

    Parameters
    ----------
    seconds
        Of one step; one value per turn, the median of the steps in it.
    peak_bytes
        Largest resident memory of its process; ``data_bytes`` of it before the first step.
    answer
        What the last step returned, as JSON has it.
    versions
        Of its packages.
    """

    seconds: Spread
    peak_bytes: int
    data_bytes: int
    answer: Any
    versions: dict[str, str]

    @property
    def work_bytes(self) -> int:
        """Memory that the work took on top of its data."""
        return self.peak_bytes - self.data_bytes


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """All that was measured of a case.

    Parameters
    ----------
    ours, peers
        The scores; ``peers`` without those that were missing.
    gaps
        How far each peer's answer is from ours, where the case compares them.
    """

    ours: Score
    peers: dict[str, Score]
    gaps: dict[str, float]

    def ratio(self, peer: str) -> Spread:
        """How many times longer the peer takes, turn by turn."""
        pairs = zip(self.peers[peer].seconds.values, self.ours.seconds.values, strict=True)
        return Spread(values=tuple(theirs / ours for theirs, ours in pairs))


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A sentence, and whether an outcome keeps it. A KeyError means that a peer it asks for was not measured."""

    text: str
    met: Callable[[Outcome], bool]


def at_most(seconds: float, text: str) -> Goal:
    """One step of ours takes no longer than that."""
    return Goal(text=text, met=lambda outcome: outcome.ours.seconds.median <= seconds)


def times_faster(factor: float, peer: str) -> Goal:
    """The peer takes that many times longer, in the median over the turns."""
    return Goal(text=f"{factor:,g} x {peer}", met=lambda outcome: outcome.ratio(peer).median >= factor)


def agrees(largest: float, peer: str) -> Goal:
    """The peer's answer is no further from ours than that."""
    return Goal(text=f"within {largest:g} of {peer}", met=lambda outcome: outcome.gaps[peer] <= largest)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One line of the table.

    Parameters
    ----------
    id
        Row of the list of goals, with a letter where the row has several cases.
    work
        What one step does.
    ours, peers
        Who does it.
    goals
        What counts as good enough.
    setup
        Parameters of every contender's ``build``.
    turns
        How often each contender has its turn.
    turn_seconds
        Length of a turn; a step that takes longer is done once.
    gap
        How far a peer's answer is from ours, where they should be equal.
    """

    id: str
    work: str
    ours: Contender
    peers: tuple[Contender, ...]
    goals: tuple[Goal, ...]
    setup: Mapping[str, Any] = field(default_factory=dict)
    turns: int = 7
    turn_seconds: float = 0.2
    gap: Callable[[Any, Any], float] | None = None
