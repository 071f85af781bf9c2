"""What a model with an embedding answers to a look, checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from sojourn.checks.chance import generator
from sojourn.checks.contract import expect, expect_close
from sojourn.checks.small_worlds import N_FEATURES, draw_features
from sojourn.errors import InvalidInputError
from sojourn.interfaces import EmbeddingModel, RewardModel
from sojourn.records import FloatArray

if TYPE_CHECKING:
    from torch import Tensor


class MakeEmbeddingModel(Protocol):
    """A factory of models."""

    def __call__(self, *, n_features: int) -> Any:
        """A new model, the same each time, trained or not, that takes any finite features."""
        ...


FEATURES: Final = draw_features(generator(81), 3, 4)
"""Three requests of four candidates."""
FEATURES.flags.writeable = False


def keeps_the_protocol(make: MakeEmbeddingModel) -> None:
    """The model is a RewardModel and has look, from_embedding, shift, spread, deviation and gate_log_odds."""
    model = make(n_features=N_FEATURES)
    expect(
        isinstance(model, EmbeddingModel) and isinstance(model, RewardModel),
        expected="every method of RewardModel and of EmbeddingModel",
        came=type(model).__name__,
        advice="write the missing ones",
    )


def looks_have_their_shapes(make: MakeEmbeddingModel) -> None:
    """A look holds features (n, m, d), embeddings (n, m, e) and log-odds (n, m), finite and without gradients."""
    model = make(n_features=N_FEATURES)
    for features, shape in ((FEATURES, (3, 4)), (FEATURES[0], (1, 4)), (FEATURES[:1, :1], (1, 1))):
        look = model.look(features)
        parts = {"features": look.features, "embedding": look.embedding, "log_odds": look.log_odds}
        for name, part in parts.items():
            came = tuple(part.shape)
            expect(
                came[:2] == shape and len(came) == (2 if name == "log_odds" else 3),
                expected=f"{name} of shape {shape} and one more for each number of a vector",
                came=str(came),
                advice="keep requests and candidates apart; (m, d) is a single request, n = 1",
            )
            expect(
                bool(part.isfinite().all()) and not part.requires_grad,
                expected=f"finite {name} without gradients",
                came=str(part),
                advice="look under torch.no_grad",
            )


def candidates_do_not_look_at_one_another(make: MakeEmbeddingModel) -> None:
    """The log-odds and the spread of a candidate are the same in any company."""
    model = make(n_features=N_FEATURES)
    look = model.look(FEATURES)
    spread = model.spread(look)
    for request in range(len(FEATURES)):
        for few in (slice(None), slice(1, 2), slice(1, 4)):
            alone = model.look(FEATURES[request, few])
            for what, came, wanted in (
                ("log-odds", alone.log_odds, look.log_odds),
                ("spread", model.spread(alone), spread),
            ):
                expect_equal(
                    came[0],
                    wanted[request, few],
                    what=f"the same {what} as in company",
                    advice="put the network in eval mode; normalise by what was learned, not by the batch",
                )


def embedding_gives_the_log_odds(make: MakeEmbeddingModel) -> None:
    """From_embedding of a look's embedding, in any shape (..., e), gives the look's log-odds."""
    model = make(n_features=N_FEATURES)
    look = model.look(FEATURES)
    advice = "split one network in two, and add nothing in between"
    expect_equal(model.from_embedding(look.embedding), look.log_odds, what="the look's log-odds", advice=advice)
    flat = model.from_embedding(look.embedding.flatten(0, 1))
    expect_equal(flat, look.log_odds.flatten(), what="the look's log-odds", advice=advice)


def mean_is_the_shifted_log_odds(make: MakeEmbeddingModel) -> None:
    """The mean is the sum of log-odds and shift, (m,) or (n, m)."""
    model = make(n_features=N_FEATURES)
    for features in (FEATURES, FEATURES[0]):
        look = model.look(features)
        wanted = as_array(look.log_odds + model.shift(look))
        expect_close(
            model.mean(features),
            wanted if features.ndim == 3 else wanted[0],
            what="log_odds + shift",
            advice="let mean add to the network's log-odds what shift gives, and nothing else",
            tolerance=1e-6,
        )


def log_odds_have_gradients(make: MakeEmbeddingModel) -> None:
    """From_embedding is differentiable, each row by its own embedding alone, and its gradient is the slope."""
    model = make(n_features=N_FEATURES)
    embedding = model.look(FEATURES).embedding.flatten(0, 1)
    slope = _gradient(model, embedding)
    expect(
        bool(slope.isfinite().all()),
        expected="a finite gradient",
        came=str(slope),
        advice="keep from_embedding free of roots and quotients that have none",
    )
    expect_equal(
        _gradient(model, embedding[:1]), slope[:1], what="the same gradient alone", advice="let no row see another"
    )
    norm = slope.norm(dim=-1)
    step = 1e-3 * slope / norm.clamp_min(1e-12).unsqueeze(-1)
    rise = model.from_embedding(embedding + step) - model.from_embedding(embedding - step)
    expect_equal(
        rise / 2e-3,
        norm,
        what="log-odds that rise with the norm of the gradient",
        advice="detach nothing on the way from the embedding",
        tolerance=0.05,  # float32, and kinks
    )


def gate_answers_or_refuses(make: MakeEmbeddingModel) -> str | None:
    """The gate gives finite log-odds (n, m), or InvalidInputError if there is none."""
    model = make(n_features=N_FEATURES)
    look = model.look(FEATURES)
    try:
        gate = model.gate_log_odds(look)
    except InvalidInputError:
        return "the model has no gate"
    expect(
        tuple(gate.shape) == (3, 4) and bool(gate.isfinite().all()) and not gate.requires_grad,
        expected="finite log-odds of shape (3, 4), without gradients",
        came=str(gate),
        advice="give one number a candidate, or raise InvalidInputError",
    )
    return None


def reading_changes_nothing(make: MakeEmbeddingModel) -> None:
    """Reading leaves the model, the features and torch's own generator and gradient mode as they were."""
    import torch

    model, lent = make(n_features=N_FEATURES), FEATURES.copy()
    mean, state, mode = model.mean(FEATURES), torch.get_rng_state(), torch.is_grad_enabled()
    look = model.look(lent)
    read: tuple[Callable[[], Any], ...] = (
        lambda: _gradient(model, look.embedding),
        lambda: model.shift(look),
        lambda: model.spread(look),
        lambda: model.deviation(look, rng=generator(84)),
    )
    for call in read:
        call()
    advice = "read without writing, and draw from generators of your own"
    expect_close(lent, FEATURES, what="the same features", advice=advice)
    expect_close(model.mean(FEATURES), mean, what="the same mean", advice=advice)
    expect_equal(model.look(FEATURES).embedding, look.embedding, what="the same embedding", advice=advice)
    expect(
        torch.equal(torch.get_rng_state(), state) and torch.is_grad_enabled() == mode,
        expected="torch's generator and gradient mode as they were",
        came="other ones",
        advice=advice,
    )


def looks_are_copies(make: MakeEmbeddingModel) -> None:
    """The caller may write to the features afterwards without changing the look."""
    model, lent = make(n_features=N_FEATURES), FEATURES.copy()
    look = model.look(lent)
    before = {"features": look.features.clone(), "embedding": look.embedding.clone()}
    lent[...] = -7.0
    for name, wanted in before.items():
        expect_equal(getattr(look, name), wanted, what=f"the same {name}", advice="copy the features")


def refuses_features_that_are_no_numbers(make: MakeEmbeddingModel) -> None:
    """Features with NaN, or of another width, are refused with InvalidInputError."""
    model = make(n_features=N_FEATURES)
    spoiled = FEATURES.copy()
    spoiled[1, 2, 1] = np.nan
    for features, what in ((spoiled, "NaN"), (FEATURES[..., :-1], "a column too few")):
        try:
            model.look(features)
        except InvalidInputError:
            continue
        expect(False, expected=f"InvalidInputError for {what}", came="a look", advice="check what comes in, once")


def expect_equal(came: Tensor, wanted: Tensor, *, what: str, advice: str, tolerance: float = 1e-4) -> None:
    """`expect_close` of tensors; networks compute in float32, and batches of other sizes round otherwise."""
    expect_close(as_array(came), as_array(wanted), what=what, advice=advice, tolerance=tolerance)


def as_array(tensor: Tensor) -> FloatArray:
    """The tensor as an array of float64."""
    return np.asarray(tensor.detach().cpu().numpy(), dtype=np.float64)


def _gradient(model: EmbeddingModel, embedding: Tensor) -> Tensor:
    import torch

    with torch.enable_grad():
        at = embedding.clone().requires_grad_()
        (slope,) = torch.autograd.grad(model.from_embedding(at).sum(), at)
    return slope
