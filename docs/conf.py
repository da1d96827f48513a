"""Sphinx configuration: `pip install ".[docs]"`, then `sphinx-build docs build/docs`."""

project = "ocpp16"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_theme = "furo"
myst_heading_anchors = 3
