from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from hashbench import params as module
from hashbench.errors import InputError
from hashbench.params import Setting, at_length, read_params, shipped_params, write_params
from hashbench.registries import methods
from hashbench.runner.plan import Request, build, plan, resolve

SETTING = Setting("cifar10", "cifar10", 0, "head", "mlp", "efficientnet_lite0")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / "tuned.toml"
    dch = {"gamma": 12.3, "epochs": 7, "head": 'a "quoted" \\ word', "flag": True, "lr": 1e-05}
    write_params(path, SETTING, "dch", dch, "30 trials")
    assert read_params(path) == {"dch": dch}
    write_params(path, SETTING, "dch", {"gamma": 2.0}, "60 trials")
    write_params(path, SETTING, "itq-cca", {}, "no better")
    assert read_params(path) == {"dch": {"gamma": 2.0}, "itq-cca": {}}
    text = path.read_text()
    assert "# 60 trials\n[dch]" in text  # each method's own note stays with it
    assert "# no better\n[itq-cca]" in text
    assert "30 trials" not in text


def test_tables_of_code_lengths_stand_beside_what_holds_at_all(tmp_path: Path) -> None:
    path = tmp_path / "tuned.toml"
    write_params(path, SETTING, "dch", {"gamma": 2.0}, "at 64", 64)
    write_params(path, SETTING, "dch", {}, "at 8", 8)
    write_params(path, SETTING, "dch", {"gamma": 4.0}, "again at 64", 64)
    table = read_params(path)["dch"]
    assert table == {"8": {}, "64": {"gamma": 4.0}}
    assert [at_length(table, bits) for bits in (8, 16, 64)] == [{}, None, {"gamma": 4.0}]
    text = path.read_text()
    assert text.index("# at 8\n[dch.8]") < text.index("# again at 64\n[dch.64]")
    both = {"lr": 0.1, "gamma": 1.0, "64": {"gamma": 4.0}}
    assert at_length(both, 16) == {"lr": 0.1, "gamma": 1.0}
    assert at_length(both, 64) == {"lr": 0.1, "gamma": 4.0}
    assert at_length({}, 16) == {}


def test_a_file_tuned_for_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "tuned.toml"
    write_params(path, SETTING, "dch", {"gamma": 2.0}, "")
    before = path.read_text()
    with pytest.raises(InputError, match=r"tuned for something else .*head mlp"):
        write_params(path, replace(SETTING, head="linear"), "dch", {"gamma": 3.0}, "")
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[dch\ngamma=1", "no TOML file.*line 1"),
        ("gamma = 1", "'gamma' in .* is outside a table"),
        ("[dch]\ngamma = [1, 2]", r"dch.gamma in .* is \[1, 2\]"),
        ("[dch]\ngamma = nan", "dch.gamma in .* is nan"),
        ("[dch.gamma]\nx = 1", "dch.gamma in .* is {'x': 1}"),
        ("[dch.16.lr]\nx = 1", "dch.16.lr in .* is"),
        ("[dch.016]\nx = 1", "dch.016 in .* is"),
        ("[dch.16]\nlr = [1]", r"dch.16.lr in .* is \[1\]"),
        ("[dch]\ngamma = 2020-01-01", "a hyper-parameter is a number"),
    ],
)
def test_a_file_that_holds_no_hyperparameters_is_one_sentence(tmp_path, text, says) -> None:
    path = tmp_path / "params.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read_params(path)


def test_files_that_cannot_be_read_or_written_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*nothing.toml"):
        read_params(tmp_path / "nothing.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        read_params(tmp_path / "bytes.toml")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write .*--out"):
        write_params(tmp_path / "file" / "x.toml", SETTING, "dch", {}, "")


def test_shipped_params_are_those_of_the_very_setting(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "shipped"
    write_params(folder / "a.toml", SETTING, "dch", {"gamma": 2.0}, "")
    write_params(folder / "b.toml", replace(SETTING, head="linear"), "dch", {"gamma": 3.0}, "")
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    module._shipped.cache_clear()
    try:
        assert shipped_params(SETTING) == {"dch": {"gamma": 2.0}}
        shipped_params(SETTING)["dch"]["gamma"] = 9.0  # a caller's copy
        assert shipped_params(SETTING) == {"dch": {"gamma": 2.0}}
        assert shipped_params(replace(SETTING, protocol="cifar10-1")) == {}
        # Another draw's queries may be among the images this one was tuned on.
        assert shipped_params(replace(SETTING, split_seed=1)) == {}
    finally:
        module._shipped.cache_clear()


def test_what_a_cell_starts_from(tmp_path, monkeypatch) -> None:
    """The method's defaults, or what is shipped, or a file's table; a setting wins over all."""
    setting = Setting("digits", "digits", 0, "head", "mlp", "pixels")
    file = tmp_path / "shipped" / "a.toml"
    write_params(file, setting, "dch", {"gamma": 2.0, "lr": 0.1}, "how", 16)
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    module._shipped.cache_clear()

    def start(bits=16, **request):
        settings = {"": {"head": "mlp"}, "dch": request.pop("settings", {})}
        (ask,) = plan(Request(("dch",), (bits,), settings=settings, **request), tmp_path)
        notes.append(ask.origin.note)
        return ask.cell.params["gamma"], ask.cell.params["lr"]

    notes: list[str] = []

    try:
        assert start() == (2.0, 0.1)
        assert notes == ["how"]
        assert start(shipped=False) == (None, None)
        assert start(params={"dch": {"8": {"gamma": 3.0}}}) == (2.0, 0.1)  # nothing for 16 bits
        assert start(params={"dch": {"lr": 5.0, "16": {"gamma": 3.0}}}) == (3.0, 5.0)
        assert start(params={"dch": {"gamma": 3.0}}) == (3.0, None)
        assert start(params={"dhn": {"lr": 3.0}}) == (2.0, 0.1)
        assert start(settings={"gamma": 4.0}) == (4.0, 0.1)
        assert start(split_seeds=(1,)) == (None, None)
        assert start(bits=32) == (None, None)
    finally:
        module._shipped.cache_clear()


def test_whatever_is_shipped_says_how_it_was_found_and_is_taken() -> None:
    folder = files("hashbench") / "shipped"
    for path in folder.iterdir():
        if not path.name.endswith(".toml"):
            continue
        lines = path.read_text("utf-8").splitlines()
        for name, table in read_params(Path(str(path))).items():
            cls = methods().get(name)
            for bits, values in table.items():
                build(name, cls, int(bits), 0, resolve(name, cls, {name: values}, "head"))
                note = lines[lines.index(f"[{name}.{bits}]") - 1]
                assert "points of" in note, f"{path.name} does not say how {name}.{bits} was found"
