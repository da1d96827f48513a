"""Sphinx configuration. From the root of the tree: `pip install ".[docs]"`, then `sphinx-build -W docs build/docs`.

The reference (`api/`) is made of the docstrings of the installed package. Names in it that are ours must lead somewhere
(`-n`, which `ci/check` gives); nothing is fetched.
"""

project = "ocpp16"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["examples"]  # projects to be copied, which have pages of their own
html_theme = "furo"
myst_heading_anchors = 3

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
