"""The Python of docs/faq.md runs as it stands."""

from __future__ import annotations

import pytest
import statements


def test_methods_scores_and_tests_on_arrays(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = statements.blocks(statements.ROOT / "docs" / "faq.md", "python")
    exec(compile(block, "docs/faq.md", "exec"), {})
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    means = {row[0]: float(row[1]) for row in rows if len(row) == 2}
    assert set(means) == {"itq-cca", "sdh", "lsh"}
    assert min(means["sdh"], means["itq-cca"]) > 0.9 > means["lsh"]  # what learns finds the classes
    assert [row[:2] for row in rows if len(row) == 5] == [["itq-cca", "sdh"]]
