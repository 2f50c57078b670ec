"""How the docs site is built: `make docs`, with every warning an error."""

import sys
from pathlib import Path

import hashbench

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "hashbench"
author = "The hashbench authors"
version = release = hashbench.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
    "from_registry",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_ext"]

# Sections of a page can be linked to as on GitHub: data.md#protocols.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Class attributes", "params_style")]
# `(n, bits)` in a docstring is code, and -- begins an option.
default_role = "literal"
smartquotes = False

html_theme = "pydata_sphinx_theme"
html_title = "hashbench"
html_theme_options = {"navigation_with_keys": False, "show_toc_level": 2}
html_show_sourcelink = False
html_copy_source = False
copybutton_prompt_text = "$ "
