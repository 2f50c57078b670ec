import json

import numpy as np
import pytest
from click.testing import CliRunner

from hashbench.backbones.cache import BLOCK, CachedTable
from hashbench.backbones.checks import all_checks
from hashbench.commands.doctor import command


def by_name(checks):
    return {check.what: check for check in checks}


def test_a_whole_installation_has_no_failure_of_its_own(tmp_path):
    checks = by_name(all_checks(tmp_path))
    for what in ("Python", "hashbench", "torch", "weights of efficientnet_lite0", "cache"):
        assert checks[what].state == "ok", checks[what]
    assert checks["data set cifar10"].state == "note"
    assert "data prepare cifar10" in checks["data set cifar10"].remedy
    assert checks["data set digits"].state == "ok"


def test_every_thing_that_is_not_well_has_a_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    checks = all_checks(tmp_path)
    for check in checks:
        if check.state == "fail" or check.what.startswith(("weights", "data set")):
            assert check.remedy or check.state == "ok", check


def test_a_cache_that_cannot_be_written_fails(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "file"))
    assert by_name(all_checks(tmp_path))["cache"].state == "fail"
    result = CliRunner().invoke(command, ["--json", "--data-root", str(tmp_path)])
    assert result.exit_code == 1
    found = {check["what"]: check for check in json.loads(result.output)}
    assert "HASHBENCH_CACHE" in found["cache"]["remedy"]


@pytest.mark.parametrize("kind", ["features", "pixels"])
def test_deep_reads_the_tables(kind, tmp_path, cache):
    table = CachedTable(cache / kind / "tiny-abc", (BLOCK + 1, 2), {})
    table.compute(
        lambda rows: [np.ones((len(rows), 2), np.float32)], "engine", lambda _share, _note: None
    )
    check = by_name(all_checks(tmp_path, deep=True))[f"{kind} tiny-abc"]
    assert check.state == "ok"
    assert "every checksum right" in check.found
    data = np.load(table.path, mmap_mode="r+")
    data[0] = 5
    data.flush()
    assert by_name(all_checks(tmp_path))[f"{kind} tiny-abc"].state == "ok"
    check = by_name(all_checks(tmp_path, deep=True))[f"{kind} tiny-abc"]
    assert check.state == "fail"
    assert "remove" in check.remedy
