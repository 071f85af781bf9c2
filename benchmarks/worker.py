"""Runs one contender: ``python -m benchmarks.worker MODULE FUNCTION PARAMETERS PACKAGES``.

It answers each line on stdin with a line of JSON: ``turn SECONDS`` with the median time of a step, ``answer`` with what
the last step returned, ``memory`` with peak memory in bytes. Only the standard library is imported before the
contender's own, for this file runs in the peers' environment too. What a library prints goes to stderr.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.contest import Timed

if TYPE_CHECKING:
    from benchmarks.contest import Step


def _timed(step: Step) -> Timed:
    start = time.perf_counter()
    answer = step()
    seconds = time.perf_counter() - start
    return answer if isinstance(answer, Timed) else Timed(seconds=seconds, answer=answer)


def _turn(step: Step, seconds: float) -> Timed:
    """The median time of the steps that fit into the turn, one at least, and the answer of the last."""
    end = time.perf_counter() + seconds
    times = [_timed(step)]
    while time.perf_counter() < end:
        times.append(_timed(step))
    return Timed(seconds=median(each.seconds for each in times), answer=times[-1].answer)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Prepare the step, say so, and answer until stdin ends."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    module, function, parameters, packages = sys.argv[1:]

    def reply(value: Any, kind: str = "value") -> None:
        replies.write(json.dumps({kind: value}) + "\n")

    sys.excepthook = lambda kind, error, _: reply(f"{kind.__name__}: {error}", "stopped")
    step = getattr(importlib.import_module(module), function)(**json.loads(parameters))
    data_bytes = _peak_bytes()
    reply({name: version(name) for name in json.loads(packages)})
    for line in sys.stdin:
        match line.split():
            case ["turn", seconds]:
                turn = _turn(step, float(seconds))
                reply(turn.seconds)
            case ["answer"]:
                reply(turn.answer)
            case ["memory"]:
                reply({"peak": _peak_bytes(), "data": data_bytes})


if __name__ == "__main__":
    main()
