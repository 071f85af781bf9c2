"""The command line: one file per command, and `main` that runs them.

Results go to the standard output, progress and mistakes to the standard error. Exit codes: 0 done, 1 a check failed or
`compare` says do not ship, 2 a mistake in the call or in the data, which a sentence names, 3 `compare` has not enough
data.
"""

from __future__ import annotations

import sys

from sojourn.errors import MissingExtraError, SojournError


def main() -> None:
    """Run the command line; a mistake of the user gets a sentence, not a traceback."""
    try:
        from sojourn.cli.app import app

        app()
    except SojournError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    except ImportError as error:
        if error.name not in {"typer", "rich"}:
            raise
        sys.stderr.write(f"error: {MissingExtraError('typer and rich', 'report')}\n")
        sys.exit(2)
