"""``python -m experiments.age.kuairand_tuning``: each contender's settings, judged on 28 April after 25 to 27 April.

Each network tries the same `N_TRIALS` draws of learning rate, length of embeddings, dropout and strength of penalty,
each for up to `EPOCHS` epochs, and keeps the epoch that was best; logistic regression tries as many penalties. A line
of JSON per trial.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Final

import numpy as np

from experiments.age.kuairand import FULL, parts
from experiments.age.kuairand_contenders import Contender, Settings, present

N_TRIALS: Final = 16
EPOCHS: Final = 3
TUNING_SEED: Final = 1000
LEARNING_RATES: Final = (5e-4, 1e-3, 2e-3)
EMBEDDING_SIZES: Final = (4, 8, 16)
DROPOUTS: Final = (0.0, 0.2, 0.5)


def trials(contender: Contender) -> Iterator[Settings]:
    """The settings that a contender tries."""
    if not contender.penalties:
        yield from (Settings(penalty=float(each)) for each in np.geomspace(1.0, 200.0, N_TRIALS))
        return
    rng = np.random.default_rng(TUNING_SEED)
    choices = (LEARNING_RATES, EMBEDDING_SIZES, DROPOUTS, contender.penalties)
    for _ in range(N_TRIALS):
        rate, size, dropout, penalty = (choice[int(rng.integers(len(choice)))] for choice in choices)
        yield Settings(learning_rate=rate, size=int(size), dropout=dropout, penalty=penalty, epochs=EPOCHS)


def main() -> None:
    """Tune the contenders named in the arguments, or all."""
    learned, judged = parts(FULL, 27, 28)
    for contender in (each for each in present() if each.name in (sys.argv[1:] or [each.name])):
        best = (np.inf, Settings())
        for settings in trials(contender):
            curve = contender.curve(learned, judged, settings, TUNING_SEED)
            epoch = int(np.argmin(curve))
            found = replace(settings, epochs=epoch + 1)
            best = min(best, (curve[epoch], found), key=lambda each: each[0])
            print(json.dumps({"contender": contender.name, "log_loss": curve, **asdict(found)}), flush=True)
        print(json.dumps({"best": contender.name, "log_loss": best[0], **asdict(best[1])}), flush=True)


if __name__ == "__main__":
    main()
