"""Sphinx configuration. From the root of the tree: `pip install ".[docs]"`, then `sphinx-build -W docs build/docs`.

The reference (`api/`) is made of the docstrings of the installed package, `reference/` of its tables (`generated.py`)
and commands. Names in it that are ours must lead somewhere (`-n`, which `ci/check` gives); nothing is fetched.
"""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import generated
from dead_links import dead_links
from sphinx.util import logging

project = "ocpp16"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_click"]
exclude_patterns = ["examples", "tutorials/parts"]  # what is included by pages, and projects to be copied
html_theme = "furo"
html_title = "ocpp16"
html_show_copyright = False
html_extra_path = ["../share/scenario.schema.json"]  # where its `$id` says that it is
smartquotes_action = "qe"  # `--option` stays two hyphens
myst_heading_anchors = 3
toc_object_entries = (
    False  # else the hundreds of names of api/ are walked for the side bar of each page: a third of the time
)
linkcheck_ignore = [r"http://(127\.0\.0\.1|localhost)\b.*", r"\w+://(\w+:\w+@)?([\w.-]+\.)?example(\.com)?\b.*"]

autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
autodoc_typehints_format = "short"
autodoc_default_options = {"exclude-members": "__new__, __init__"}
default_role = "code"  # docstrings write names as `name`
nitpick_ignore_regex = [  # only what is ours, and no variables of types
    (r"py:.*", r"(?!ocpp16\b).*"),
    (r"py:.*", r"ocpp16\..*\.[A-Z]"),
    (r"py:class", r"ocpp16\.(lint\.frame\.Frame|transport\.websocket\.WebSocket)"),  # of what is handed on
    (r"py:class", r"ocpp16\.simulation\.(car|maintenance|patience)\..*"),  # what a station is made of
    (r"py:.*", r"ocpp16\.pytest_plugin\..*"),  # its names are those of other classes, and lead nowhere
]


def setup(app: Any) -> None:
    app.connect("source-read", _read)
    app.connect("build-finished", _finish)


def _read(app: Any, page: str, source: list[str]) -> None:
    source[0] = generated.expanded(source[0])


def _finish(app: Any, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        generated.write_load_report(Path(app.outdir) / "_static" / "load-report.html")
        if app.builder.name == "html":
            for dead in dead_links(Path(app.outdir), app.env.found_docs):
                logging.getLogger(__name__).warning("a link leads nowhere: %s", dead)
