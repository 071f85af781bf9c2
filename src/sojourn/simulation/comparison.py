"""What a comparison of policies found: learning curves and a table of paired differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from sojourn.errors import InvalidInputError


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Comparison:
    """Policies that met the same people, seed by seed.

    Expected clicks are the exact expectation of what was shown: they have the mean of the clicks and less noise, so
    differences and regret are measured in them.

    Parameters
    ----------
    runs
        One row per policy, seed and checkpoint, all sums from the first round on: ``policy``, ``seed``, ``round``,
        ``slots`` shown, ``clicks``, ``expected_clicks``, ``regret``, by how much the best slates would have exceeded
        ``expected_clicks``, ``set_reward``, the expected number of pages with a click, and ``set_regret``, by how much
        the same best slates would have exceeded ``set_reward``. Where readers look at slots by position or down to
        a depth, the slate with most expected clicks is also the likeliest to be clicked at all; elsewhere another
        slate may be, and set regret below 0.
    """

    runs: pl.DataFrame

    @property
    def policies(self) -> list[str]:
        """Names, in the order in which they were given."""
        return list(self.runs["policy"].unique(maintain_order=True))

    def curves(self) -> pl.DataFrame:
        """Means over the seeds and their standard errors (null for one seed), by policy and round.

        ``ctr`` is clicks per slot shown, ``*_se`` the standard error of the column before.
        """
        runs = self.runs.with_columns(ctr=pl.col("clicks") / pl.col("slots"))
        names = ("clicks", "ctr", "regret", "set_reward", "set_regret")
        summary = [part for name in names for part in _mean_and_se(name)]
        return runs.group_by("policy", "round", maintain_order=True).agg(summary)

    def table(
        self, reference: str | None = None, *, measure: Literal["expected_clicks", "set_reward"] = "expected_clicks"
    ) -> pl.DataFrame:
        """One row per policy, after the last round.

        Means over the seeds and standard errors of ``clicks``, ``ctr``, ``expected_clicks``, ``regret``,
        ``set_reward`` and ``set_regret``; then ``difference`` in the measure from the reference, paired by seed, with
        its standard error, ``z`` (their ratio; null where there is no spread) and ``difference_percent`` of the
        reference's measure.

        Parameters
        ----------
        reference
            A policy; the first one unless given.
        measure
            What differences are taken of: clicks, or pages with a click.

        Raises
        ------
        InvalidInputError
            No such policy.
        """
        names = self.policies
        reference = names[0] if reference is None else reference
        if reference not in names:
            raise InvalidInputError(f"reference: expected one of {', '.join(names)}, got {reference!r}")
        last = self.runs.filter(pl.col("round") == pl.col("round").max())
        base = last.filter(pl.col("policy") == reference).select("seed", base=measure)
        paired = last.join(base, on="seed", maintain_order="left").with_columns(
            ctr=pl.col("clicks") / pl.col("slots"),
            difference=pl.col(measure) - pl.col("base"),
        )
        names = ["clicks", "ctr", "expected_clicks", "regret", "set_reward", "set_regret", "difference"]
        summary = [part for name in names for part in _mean_and_se(name)]
        spread = pl.col("difference_se") > 0.0
        return (
            paired.group_by("policy", maintain_order=True)
            .agg(*summary, pl.col("base").mean())
            .with_columns(
                z=pl.when(spread).then(pl.col("difference") / pl.col("difference_se")),
                difference_percent=100.0 * pl.col("difference") / pl.col("base"),
            )
            .drop("base")
        )

    def to_dict(self, reference: str | None = None) -> dict[str, Any]:
        """Settings, table and curves as lists, numbers and text: what JSON can hold."""
        reference = self.policies[0] if reference is None else reference
        return {
            "n_rounds": self.runs["round"].max(),
            "seeds": self.runs["seed"].unique(maintain_order=True).to_list(),
            "reference": reference,
            "table": self.table(reference).to_dicts(),
            "curves": self.curves().to_dicts(),
        }


def _mean_and_se(name: str) -> tuple[pl.Expr, pl.Expr]:
    column = pl.col(name)
    return column.mean(), (column.std() / column.len().sqrt()).alias(f"{name}_se")
