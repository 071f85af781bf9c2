"""Numbers as people read them. A number that is missing (None or NaN) is shown as an en dash."""

from __future__ import annotations

import math
from collections.abc import Iterable

MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def is_missing(value: float | None) -> bool:
    """True for None and NaN."""
    return value is None or math.isnan(value)


def number(value: float | None, digits: int = 3) -> str:
    """Whole numbers in full, others with so many significant digits: "30,000", "0.00433", "3.2e-07"."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if isinstance(value, int) or value == 0.0:
        return fixed(value, 0)
    if not 1e-4 <= abs(value) < 1e15:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    return fixed(value, decimals([value], digits))


def fixed(value: float | None, places: int) -> str:
    """The number with so many decimals, thousands separated and a true minus sign, as in "1,234.50"."""
    if value is None or not math.isfinite(value):
        return number(value)
    written = f"{value:,.{places}f}"
    if not written.strip("-0.,"):  # a rounded zero has no sign
        written = written.lstrip("-")
    return written.replace("-", MINUS)


def decimals(values: Iterable[float | None], digits: int) -> int:
    """Decimals that give the largest of the values so many significant digits."""
    sizes = [abs(value) for value in values if value is not None and math.isfinite(value) and value != 0.0]
    if not sizes:
        return 0
    _, exponent = f"{max(sizes):.{digits - 1}e}".split("e")  # after rounding: 9.996 with three digits is 10.0
    return max(0, digits - 1 - int(exponent))


def percent(share: float | None, digits: int = 3) -> str:
    """A share in [0, 1] as a percentage: ``percent(0.00433)`` is "0.433 %"."""
    return MISSING if share is None or is_missing(share) else f"{number(100.0 * share, digits)} %"


def plus_minus(value: float | None, stderr: float | None, *, as_percent: bool = False) -> str:
    """A value and its standard error, to the decimals that the error deserves: "0.433 ± 0.038 %"."""
    scale, unit = (100.0, " %") if as_percent else (1.0, "")
    if value is None or stderr is None or not math.isfinite(stderr):
        return percent(value) if as_percent else number(value)
    places = decimals([scale * stderr], 2) if stderr else decimals([scale * value], 3)
    return f"{fixed(scale * value, places)} ± {fixed(scale * stderr, places)}{unit}"


def interval(low: float | None, high: float | None, *, as_percent: bool = False) -> str:
    """The two ends, to the decimals that the width deserves: "0.38 to 0.49 %"."""
    scale, unit = (100.0, " %") if as_percent else (1.0, "")
    if low is None or high is None or is_missing(low) or is_missing(high):
        return MISSING
    places = decimals([scale * (high - low)], 2) if high > low else decimals([scale * low], 3)
    return f"{fixed(scale * low, places)} to {fixed(scale * high, places)}{unit}"


def count(n: int, noun: str, plural: str | None = None) -> str:
    """A number of things: "1 click", "30,000 rounds", "2 policies"."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"
