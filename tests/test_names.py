"""One name, one class: what two modules call the same, a reader takes for the same."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import hashbench


def test_no_two_public_classes_share_a_name():
    package = Path(hashbench.__file__).parent
    homes = defaultdict(list)
    for file in sorted(package.rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(str(file.relative_to(package)))
    assert len(homes) > 100  # the package was found
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}
