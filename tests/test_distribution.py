"""The source distribution holds whatever the tests read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_whatever_the_tests_read_is_in_the_source_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packed = set(project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])
    packed.add("pyproject.toml")  # always is
    read = {
        name
        for path in (ROOT / "tests").rglob("*.py")
        for name in re.findall(
            r'(?:ROOT|parents\[[12]\]) / "([\w.-]+)"', path.read_text(encoding="utf-8")
        )
    }
    there = {name for name in read if (ROOT / name).exists()}
    assert {"docs", "CONTRIBUTING.md", "README.md"} <= there <= packed
    assert project["project"]["readme"] in packed
    assert set(project["project"]["license-files"]) <= packed
