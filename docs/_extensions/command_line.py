"""``.. command-line::``: every command with its arguments and options, read from the program itself."""

from __future__ import annotations

import inspect
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.parsing import nested_parse_to_nodes
from typer.main import get_command

from sojourn.cli.app import app as commands


class CommandLine(SphinxDirective):
    """A section for each command."""

    def run(self) -> list[nodes.Node]:
        """Describe the commands in the order of ``sojourn --help``."""
        group: Any = get_command(commands)
        lines = [line for name, command in group.commands.items() for line in _section(name, command)]
        return nested_parse_to_nodes(self.state, "\n".join(lines), allow_section_headings=True)


def _section(name: str, command: Any) -> list[str]:
    title = f"sojourn {name}"
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    usage = " ".join(["sojourn", name, *(_metavar(each) for each in arguments), "[OPTIONS]"])
    rows = [(f"``{each.name.upper()}``", each) for each in arguments]
    rows += [(", ".join(f"``{flag}``" for flag in (*each.opts, *each.secondary_opts)), each) for each in options]
    table = [".. list-table::", "   :widths: auto", "   :class: options", ""]
    for flags, each in rows:
        table += [f"   * - {flags}", f"     - {_told(each)}"]
    return [title, "-" * len(title), "", _rst(inspect.cleandoc(command.help)), "", ".. code-block:: text", "",
            f"   {usage}", "", *table, ""]  # fmt: skip


def _metavar(argument: Any) -> str:
    name = argument.name.upper() + ("..." if argument.nargs != 1 else "")
    return name if argument.required else f"[{name}]"


def _told(parameter: Any) -> str:
    """The help text, with the default where there is one to tell."""
    text = _rst(parameter.help or "")
    default = parameter.default
    if parameter.required and parameter.param_type_name == "option":
        text += " Required."
    elif isinstance(default, str | int | float) and not isinstance(default, bool) and default != "":
        text += f" Default: ``{default}``."
    return text


def _rst(text: str) -> str:
    """Plain text, whose `code` and --options are set as such; escapes of the terminal's markup are undone."""
    parts = re.split(r"`+([^`]+)`+", " ".join(text.split()).replace("\\[", "["))
    parts[::2] = [re.sub(r"(?<![\w-])(--[a-z][a-z-]*)", r"``\1``", part.replace("*", "\\*")) for part in parts[::2]]
    parts[1::2] = [f"``{part}``" for part in parts[1::2]]
    return "".join(parts)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
