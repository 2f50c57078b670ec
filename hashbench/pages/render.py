"""From the data of a page to one HTML file: nothing is loaded from elsewhere, nothing runs raw.

Texts of records reach the page through jinja2's autoescape and as JSON whose `<`, `>` and `&`
are escaped, which scripts put into the page as text, never as markup. The file's own policy
lets no request leave it and runs no script but those written here, told by their digests.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from hashbench.errors import InputError, installs
from hashbench.pages.data import PageData
from hashbench.parsing import in_number

#: Scripts of the page, in the order they need each other; they share one scope.
SCRIPTS = (
    "base.js", "table.js", "copy.js", "provenance.js", "charts.js", "methods.js", "gallery.js",
    "differs.js", "main.js",
)  # fmt: skip

#: A page can be opened anywhere, and can reach nothing.
_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src {scripts}; "
    "base-uri 'none'; form-action 'none'"
)


def render(data: PageData) -> str:
    """The page as HTML, complete in itself.

    Raises:
        InputError: if the charting library is not installed.
    """
    body = data.to_json()
    code = "\n".join(_text(name) for name in SCRIPTS)
    scripts = {"library": _library(), "code": f"(() => {{\n'use strict';\n{code}}})();\n"}
    policy = _POLICY.format(scripts=" ".join(f"'sha256-{_digest(s)}'" for s in scripts.values()))
    return (
        _templates()
        .get_template("page.html")
        .render(
            page=data,
            policy=policy,
            style=Markup(_text("page.css")),
            data=Markup(body),
            **{name: Markup(text) for name, text in scripts.items()},
        )
    )


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hashbench.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = _number
    environment.filters["json"] = lambda value: json.dumps(value, sort_keys=True, default=str)
    environment.filters["anchor"] = anchor
    environment.globals["same"] = _same
    environment.globals["in_number"] = in_number
    return environment


def anchor(name: str) -> str:
    """A name as a fragment of a link holds it, whatever it is made of."""
    return hashlib.sha256(name.encode(errors="replace")).hexdigest()[:10]


def _text(name: str) -> str:
    return (files("hashbench.pages") / "templates" / name).read_text("utf-8")


@cache
def _library() -> str:
    """Plotly as its Python package ships it."""
    found = importlib.util.find_spec("plotly")
    places = list(found.submodule_search_locations or []) if found else []
    path = Path(places[0]) / "package_data" / "plotly.min.js" if places else None
    if path is None or not path.is_file():
        raise InputError(f"a page draws with plotly: {installs('report')}")
    return path.read_text("utf-8").replace("</script", "<\\/script")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _number(value: Any, digits: int = 3) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}f}"


def _same(values: Mapping[str, Any]) -> bool:
    """Whether every value of a mapping is the same."""
    return len({json.dumps(value, sort_keys=True, default=str) for value in values.values()}) <= 1
