"""The exceptions of Sojourn.

::

    SojournError
    ├── InvalidInputError      an array or argument has the wrong shape, type or range   (also a ValueError)
    ├── LogError          a log, table or data file cannot be used as it is         (also a ValueError)
    │   └── MissingPropensitiesError   the log cannot say how likely its choices were
    ├── ConfigError       a configuration file or name is not understood            (also a ValueError)
    ├── ContractError     an object does not keep the contract of its Protocol      (also an AssertionError)
    └── MissingExtraError      an optional dependency is not installed                   (also an ImportError)

Each message says what was expected, what came, and what to do. The command line prints the message alone and
exits with 2; anything that is not a `SojournError` is a defect of ours and keeps its traceback.
"""

from __future__ import annotations


class SojournError(Exception):
    """The base of every error that Sojourn raises on purpose."""


class InvalidInputError(SojournError, ValueError):
    """An array or argument has the wrong shape, type or range."""


class LogError(SojournError, ValueError):
    """A log, table or data file cannot be used as it is."""


class MissingPropensitiesError(LogError):
    """An off-policy question was asked of a log that does not hold propensities."""


class ConfigError(SojournError, ValueError):
    """A configuration file or a name in it is not understood."""


class ContractError(SojournError, AssertionError):
    """An object does not keep the contract of the Protocol that it is used as."""


class MissingExtraError(SojournError, ImportError):
    """An optional dependency is not installed.

    Parameters
    ----------
    package
        What could not be imported.
    extra
        The extra of ``sojourn`` that installs it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"this needs {package}, which is not installed: pip install 'sojourn[{extra}]'")
