from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from hashbench.codes import Codes
from hashbench.commands import diff, explain
from hashbench.errors import InputError
from hashbench.results.explain import compare, describe, find_cell
from hashbench.runner.execute import run_here
from hashbench.seeds import derive
from hashbench.store import Store


@pytest.fixture
def store(bench) -> Store:
    bench.run(bench.tasks("quick", bits=(8, 16), seeds=(0, 1)), run_here)
    return bench.store


def test_a_cell_is_found_by_key_or_by_name(store) -> None:
    record = find_cell(store, "quick:16:1")
    assert (record.cell.bits, record.cell.seed) == (16, 1)
    assert find_cell(store, record.key[:10]) == record
    with pytest.raises(InputError, match=r"no cell 'quick:32:0'.*METHOD:BITS:SEED"):
        find_cell(store, "quick:32:0")


def test_a_name_that_several_cells_share_lists_their_keys(store, bench) -> None:
    bench.run(bench.tasks("quick", bits=(16,), seeds=(1,), seconds=0.001), run_here)
    with pytest.raises(InputError, match=r"'quick:16:1' is 2 cells.*params.seconds 0.001"):
        find_cell(store, "quick:16:1")


def test_a_description_has_everything_a_score_depends_on(store) -> None:
    record = find_cell(store, "quick:8:1")
    found = describe(store, record)
    assert found["cell"] == record.cell.to_dict()
    assert found["seeds"]["method"] == derive(1, "method")
    assert len(found["evidence"]["split"]) == 64
    assert found["conventions"]["house"]["order"] == "expected"
    assert found["environment"]["versions"]["numpy"] == np.__version__
    assert {"threads", "blas", "processor", "git"} <= set(found["environment"])
    assert {len(digest) for digest in found["codes"].values()} == {64}
    json.dumps(found)


def test_cells_that_agree_do_not_differ(store) -> None:
    record = find_cell(store, "quick:8:1")
    assert compare((store, record), (store, record)) == {}


def test_one_flipped_bit_is_found(store) -> None:
    record = find_cell(store, "quick:8:1")
    query, database = store.open_codes(record)
    before = describe(store, record)
    packed = query.packed.copy()
    packed[3, 0] ^= 1
    other = Store(store.root.with_name("other"), create=True)
    changed = other.put(record, (Codes(packed, 8), database))
    found = compare((store, record), (other, changed))
    total = 8 * (len(query) + len(database))
    assert found["codes"] == (f"1 of {total:,} bits differ", None)
    assert found["codes.query"][0] == before["codes"]["query"] != found["codes.query"][1]


def test_the_verbs(store, bench) -> None:
    shown = CliRunner().invoke(explain.command, ["quick:8:0", "--results", str(store.root)])
    assert shown.exit_code == 0
    assert "derive" not in shown.output
    assert "house.order" in shown.output
    cells = ["quick:8:0", "quick:8:1", "--results", str(store.root)]
    found = CliRunner().invoke(diff.command, cells, standalone_mode=False)
    assert found.return_value == 1  # what the verb exits with
    assert "cell.seed: 0 | 1" in found.output
    same = CliRunner().invoke(
        diff.command, [str(store.root), str(store.root)], standalone_mode=False
    )
    assert same.return_value == 0
    assert same.output == "Nothing differs.\n"
    mixed = CliRunner().invoke(diff.command, [str(store.root), "quick:8:0"])
    assert isinstance(mixed.exception, InputError)


def test_folders_say_once_what_all_cells_share(store, bench) -> None:
    other = Store(store.root.with_name("other"), create=True)
    for record in store.records()[1:]:
        environment = {**record.environment, "threads": 99}
        other.put(
            type(record)(**{**record.__dict__, "environment": environment}),
            store.open_codes(record),
        )
    found = CliRunner().invoke(diff.command, [str(store.root), str(other.root)])
    assert found.output.count("environment.threads") == 1
    assert "all 3 cells of both" in found.output
    assert "record: there | missing" in found.output
