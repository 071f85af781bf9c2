"""How long an import takes, in a fresh interpreter with warm file caches."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.contest import Case, Contender, Step, Timed, at_most

_CLOCK = "import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"


def imported(*, statement: str) -> Step:
    """Start an interpreter; it reports the seconds that the statement took."""
    command = [sys.executable, "-c", _CLOCK.format(statement=statement)]

    def step() -> Timed:
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return Timed(seconds=float(printed.split()[-1]))

    return step


def _peer(name: str, *packages: str, module: str) -> Contender:
    return Contender(name=name, build=imported, packages=packages, setup={"statement": f"import {module}"})


def _ours(statement: str) -> Contender:
    return Contender(
        name="sojourn",
        build=imported,
        packages=("sojourn", "numpy", "scipy", "polars"),
        environment="sojourn",
        setup={"statement": statement},
    )


NUMPY = Contender(
    name="numpy alone",
    build=imported,
    packages=("numpy",),
    environment="sojourn",
    setup={"statement": "import numpy"},
    differs="the floor: what the import of Sojourn cannot do without",
)
CASES = (
    Case(
        id="10a",
        work="import sojourn",
        ours=_ours("import sojourn"),
        peers=(
            NUMPY,
            _peer("river", "river", module="river"),
            _peer("river.bandit", "river", module="river.bandit"),
            _peer("MABWiser", "mabwiser", module="mabwiser.mab"),
            _peer("bayesianbandits", "bayesianbandits", module="bayesianbandits"),
        ),
        goals=(at_most(0.3, "0.3 s"),),
        turn_seconds=0.5,
    ),
    Case(
        id="10b",
        work="from sojourn import recipes: all that a policy needs",
        ours=_ours("from sojourn import recipes"),
        peers=(NUMPY,),
        goals=(at_most(0.3, "0.3 s"),),
        turn_seconds=0.5,
    ),
)
