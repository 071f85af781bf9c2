"""Every shipped uncertainty keeps the contract, and so does the deep model with it."""

from __future__ import annotations

import pytest

from sojourn.checks import check_uncertainty
from sojourn.models.deep import uncertainty


@pytest.mark.parametrize("name", uncertainty.__all__)
def test_uncertainties(name: str) -> None:
    assert [result for result in check_uncertainty(getattr(uncertainty, name)) if not result.passed] == []
