"""What a check is, and what running one gives."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import ContractError

Make = TypeVar("Make")
Check = Callable[[Make], str | None]
"""Takes a factory of the part and raises ContractError if a promise is broken.

The docstring is the promise; what it returns, if anything, says why nothing was there to check.
"""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One promise, kept or not.

    Parameters
    ----------
    name
        Of the check.
    promise
        What the contract says, in a sentence.
    passed
        True if the promise was kept.
    message
        Where it was broken: what was expected, what came, what to do. Where it was kept, empty, or why the promise
        does not apply to this part.
    """

    name: str
    promise: str
    passed: bool
    message: str = ""


def run_checks(checks: Iterable[Check[Make]], make: Make) -> tuple[CheckResult, ...]:
    """One result per check, in order; a broken promise does not stop the others."""
    return tuple(_run(check, make) for check in checks)


def require(results: Iterable[CheckResult]) -> None:
    """Raise a ContractError that names every broken promise, if there is one."""
    broken = [result for result in results if not result.passed]
    if broken:
        lines = [f"{result.name}: {result.promise}\n  {result.message}" for result in broken]
        count = "1 broken promise" if len(broken) == 1 else f"{len(broken)} broken promises"
        raise ContractError(f"{count}:\n" + "\n".join(lines))


def expect(holds: bool | np.bool_, *, expected: str, came: object, advice: str) -> None:
    """Raise a ContractError unless ``holds``."""
    if not holds:
        raise ContractError(f"expected {expected}, got {came}; {advice}")


def expect_close(
    came: NDArray[Any], wanted: NDArray[Any] | float, *, what: str, advice: str, tolerance: float = 1e-8
) -> None:
    """Raise a ContractError unless the arrays agree, relative to values above 1; NaN agrees with nothing.

    An infinite value agrees with the same one: models may rule pages out.
    """
    came, wanted = np.asarray(came, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    expect(
        wanted.shape in (came.shape, ()),
        expected=f"{what}, of shape {wanted.shape}",
        came=f"shape {came.shape}",
        advice=advice,
    )
    with np.errstate(invalid="ignore"):  # inf - inf
        apart = np.abs(came - wanted) / np.maximum(1.0, np.abs(wanted))
    close = (apart <= tolerance) | (came == wanted)
    if not close.all():
        worst = np.unravel_index(np.argmin(close), close.shape)
        value = np.broadcast_to(wanted, came.shape)[worst]
        expect(False, expected=f"{what}, {value:.9g}", came=f"{came[worst]:.9g}", advice=advice)


def _run(check: Check[Make], make: Make) -> CheckResult:
    name = getattr(check, "__name__", str(check))
    promise = " ".join((inspect.getdoc(check) or "").split())
    try:
        remark = check(make)
    except ContractError as broken:
        return CheckResult(name, promise, False, str(broken))
    except Exception as error:  # noqa: BLE001 - whatever foreign code raises is what the check has to tell
        return CheckResult(name, promise, False, _told(error))
    return CheckResult(name, promise, True, remark or "")


def _told(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}, line {last.lineno}, in {last.name}"
    return f"expected no exception, got {type(error).__name__}: {error} ({where}); make this input work"
