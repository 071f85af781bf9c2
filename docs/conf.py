"""How the documentation is built: `make docs`. Nothing is fetched, and every warning is an error."""

from __future__ import annotations

import sys
from pathlib import Path

from sojourn import __version__

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "Sojourn"
author = "The Sojourn authors"
copyright = author  # noqa: A001  # Sphinx's name
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "command_line",
    "docstrings",
    "mathml",
    "names",
    "repository_links",
    "rooms",
]
exclude_patterns = ["_extensions"]

html_theme = "furo"
html_title = f"Sojourn {release}"
html_static_path = ["_static"]
html_css_files = ["sojourn.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False

myst_enable_extensions = ["deflist", "dollarmath"]
myst_dmath_double_inline = True
myst_heading_anchors = 3
highlight_language = "none"

default_role = "py:obj"  # a single backtick in a docstring is a public name
nitpicky = True
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
autodoc_type_aliases = {name: name for name in ("FloatArray", "IntArray", "BoolArray")}
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
