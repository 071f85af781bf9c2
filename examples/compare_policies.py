"""What a policy would have earned on the log of another, how sure that is, and what it earns in truth."""

import numpy as np

from sojourn.evaluation import InversePropensity, SelfNormalized, estimate_all, target_propensity, weight_diagnostics
from sojourn.exploration import Greedy
from sojourn.exposure import NoCorrection
from sojourn.models import BayesianRidge
from sojourn.policies import EpsilonSampler, SlatePolicy, Uniform
from sojourn.records import LogBatch
from sojourn.simulation import simulate_log, worlds

rng = np.random.default_rng(0)
feed = worlds.lin(seed=0, n_items=12, n_slots=2)
new = SlatePolicy(
    name="new",
    model=BayesianRidge(n_features=10),
    explorer=Greedy(),
    sampler=EpsilonSampler(epsilon=0.5),
    exposure=NoCorrection(),
)
new.update(simulate_log(feed, Uniform(), 1_000, rng=rng))  # learned from the earlier part of a log

requests = [feed.request(rng=rng) for _ in range(3_000)]  # the later part; of a file, sojourn.logs.rounds gives them
shown = [Uniform().act(request, rng=rng) for request in requests]
click = np.stack([feed.feedback(*page, rng=rng).click for page in zip(requests, shown, strict=True)])
pages = [(request, decision.chosen) for request, decision in zip(requests, shown, strict=True)]
log = LogBatch(
    item=np.stack([request.item_ids[chosen] for request, chosen in pages]),
    features=np.stack([request.features[chosen] for request, chosen in pages]),
    click=click,
    reward=click,
    position=np.tile(np.arange(2), (3_000, 1)),
    session=np.arange(3_000),
    step=np.zeros(3_000, dtype=int),
    propensity=np.stack([decision.propensity for decision in shown]),
)

target = target_propensity(new, pages, width=2, rng=rng)
estimators = [InversePropensity(weighting="prefix"), SelfNormalized(weighting="prefix")]
for name, found in estimate_all(log, target, estimators).items():
    print(f"{name:16} {found.value:.3f} clicks a page, {found.interval[0]:.3f} to {found.interval[1]:.3f}")
for statement in weight_diagnostics(log, target, weighting="prefix").statements:
    print("-", statement)
true = np.mean([feed.expected_reward(request, new.act(request, rng=rng).chosen) for request in requests])
print(f"in truth {true:.3f}, and the log {log.reward.sum(axis=1).mean():.3f}")
