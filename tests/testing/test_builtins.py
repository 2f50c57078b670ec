"""Every built-in method passes the conformance kit."""

from __future__ import annotations

from hashbench.registries import methods
from hashbench.testing import parametrize_with_checks

BUILT_IN = [
    cls for name, cls in methods().parts().items() if methods().entry(name).origin == "hashbench"
]


@parametrize_with_checks(BUILT_IN)
def test_built_in_methods_keep_the_contract(check) -> None:
    check()


def test_no_built_in_method_is_broken() -> None:
    assert BUILT_IN
    assert [item for item in methods().broken if item.origin == "hashbench"] == []
