"""Lets the contenders of a case take turns: ours, a peer, the next peer, ours again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.contest import Case, Contender, Outcome, Score, Spread

ROOT = Path(__file__).resolve().parent.parent
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


class AbsentError(Exception):
    """A peer cannot compete here; the message says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Pythons:
    """The interpreters of the two environments."""

    sojourn: Path = Path(sys.executable)
    peers: Path = ROOT / ".venv-peers" / "bin" / "python"

    def of(self, contender: Contender) -> Path:
        """The one that runs this contender."""
        python = self.sojourn if contender.environment == "sojourn" else self.peers
        if not python.exists():
            raise AbsentError("no environment of peers; make bench-peers builds it")
        return python


class Worker:
    """A contender in a process of its own."""

    def __init__(self, contender: Contender, case: Case, pythons: Pythons) -> None:
        parameters = json.dumps({**case.setup, **contender.setup})
        build = contender.build
        self._process = subprocess.Popen(
            [
                str(pythons.of(contender)),
                "-W",
                "ignore",
                "-m",
                "benchmarks.worker",
                build.__module__,
                build.__name__,
                parameters,
                json.dumps(contender.packages),
            ],
            cwd=ROOT,
            env=_environment(contender),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.versions: dict[str, str] = self._reply() | _commit(contender)

    def ask(self, question: str) -> Any:
        """The worker's answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        return self._reply()

    def _reply(self) -> Any:
        assert self._process.stdout is not None
        reply = json.loads(self._process.stdout.readline() or '{"stopped": "without a word"}')
        if "stopped" in reply:
            raise AbsentError(f"it stopped: {reply['stopped']}")
        return reply["value"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def _environment(contender: Contender) -> dict[str, str]:
    variables = {**os.environ, **_ONE_THREAD}
    variables.pop("PYTHONPATH", None)
    if contender.checkout is not None:
        if not os.environ.get(contender.checkout):
            raise AbsentError(f"set {contender.checkout} to the path of a checkout")
        variables["PYTHONPATH"] = os.environ[contender.checkout]
    return variables


def _commit(contender: Contender) -> dict[str, str]:
    """What stands in for the version of a checkout."""
    if contender.checkout is None:
        return {}
    command = ["git", "-C", os.environ[contender.checkout], "rev-parse", "--short", "HEAD"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return {"commit": said.strip() or "unknown"}


def measure(case: Case, pythons: Pythons, say: Callable[[str], None]) -> Outcome:
    """Give every contender one turn that does not count, then its turns; at the end ask for answers and memory.

    A peer that is absent, or stops on the way, is left out with a line that says why.
    """
    playing = [case.ours, *case.peers]
    workers: dict[str, Worker] = {}
    seconds: dict[str, list[float]] = {contender.name: [] for contender in playing}
    with ExitStack() as stack:
        for turn in range(-1, case.turns):
            for contender in tuple(playing):
                try:
                    if turn < 0:
                        workers[contender.name] = stack.enter_context(Worker(contender, case, pythons))
                    seconds[contender.name].append(workers[contender.name].ask(f"turn {case.turn_seconds}"))
                except AbsentError as missing:
                    if contender is case.ours:
                        raise
                    playing.remove(contender)
                    say(f"{case.id}: {contender.name} skipped: {missing}")
        scores = {each.name: _score(workers[each.name], tuple(seconds[each.name][1:])) for each in playing}
    ours = scores.pop(case.ours.name)
    gap = case.gap
    gaps = {} if gap is None else {name: gap(ours.answer, score.answer) for name, score in scores.items()}
    return Outcome(ours=ours, peers=scores, gaps=gaps)


def _score(worker: Worker, seconds: tuple[float, ...]) -> Score:
    memory = worker.ask("memory")
    return Score(
        seconds=Spread(values=seconds),
        peak_bytes=memory["peak"],
        data_bytes=memory["data"],
        answer=worker.ask("answer"),
        versions=worker.versions,
    )
