"""What docs/production.md shows runs as it stands, in order."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "production.md"


def test_every_block_of_the_page_runs(hashbench) -> None:
    pytest.importorskip("lancedb")
    starlette = pytest.importorskip("starlette.testclient")
    from hashbench.serve.app import application
    from hashbench.serve.cells import cell_shelves
    from hashbench.serve.shelves import open_shelves
    from hashbench.store import Store

    blocks = re.findall(r"```(python|console)\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)
    assert [kind for kind, _ in blocks].count("console") == 6
    names: dict[str, object] = {}
    printed = {}
    served = []
    for kind, block in blocks:
        if kind == "python":
            exec(compile(block, str(PAGE), "exec"), names)
            continue
        for line in block.strip().splitlines():
            verb, *args = shlex.split(line)[1:]
            if verb == "serve":
                served.append(Path(*args))
                continue
            here = ("--workers", "0") if verb == "run" else ()  # as it is, in processes of its own
            code, out, err = hashbench(verb, *args, *here)
            assert code == 0, (line, err)
            assert verb == "run" or not err, line
            printed[line] = out
    _, encode, _, search, nearest, *_ = printed.values()
    assert "300 pictures, 16 bits each" in encode
    lines = search.splitlines()[:-1]
    assert len(lines) > 10
    assert sum(line.endswith("  3") for line in lines) > len(lines) / 2  # threes find threes
    assert len(json.loads(nearest)["found"]) == 10
    results, indexes = served
    for shelves in (cell_shelves(results, Store(results).records()), open_shelves(indexes)):
        client = starlette.TestClient(application(shelves), base_url="http://127.0.0.1")
        name = shelves["dch", 16].queries.ids[0]
        page = client.get("/look", params={"query": name, "left": "dch", "right": "itq-cca"})
        assert re.findall(r"<h2>(.*?)</h2>", page.text) == ["dch, 16 bits", "itq-cca, 16 bits"]
