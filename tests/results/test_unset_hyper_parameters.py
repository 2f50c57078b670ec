"""What `explain` says of hyper-parameters that nobody set."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from made_records import record

from hashbench.cell import Cell
from hashbench.commands import explain
from hashbench.hasher import code_of, hyperparameters
from hashbench.pages.places import cells_of
from hashbench.registries import methods
from hashbench.results.collect import collect
from hashbench.results.explain import defaults_of
from hashbench.store import Store

PIXELS = {"optimizer", "schedule", "accumulate", "compiled", "select", "side", "unfreeze", "views"}


def made(method: str, bits: int = 16, **changes):
    """A record of today's code with every hyper-parameter at its default, in mode "head"."""
    cls = methods().get(method)
    params = {name: value for name, value in hyperparameters(cls).items() if name not in PIXELS}
    changes = {"code": code_of(cls), "mode": "head", "params": params, **changes}
    return record(method, bits, **changes)


def test_they_are_the_recipes_or_the_methods() -> None:
    epochs = [{"epoch": number, "loss": 1.0} for number in range(75)]  # of a small training set
    found = defaults_of(made("dch", history=epochs))
    assert found["lr"] == {"of": "recipe", "value": 0.001}
    assert found["gamma"] == {"of": "method", "value": 10.0}
    assert found["epochs"]["value"] == 75
    assert "quantization" not in found  # it has a value of its own
    assert defaults_of(made("mihash", 48))["bins"]["value"] == 24
    assert defaults_of(made("dnnh"))["slice_width"]["value"] == 0
    assert defaults_of(made("hyp2"))["zeta"] == {"of": "method", "value": None}


def test_they_depend_on_what_was_set() -> None:
    params = dict(made("dch").cell.params) | {"head": "mlp", "lr": 0.5}
    found = defaults_of(made("dch", params=params))
    assert "lr" not in found
    assert [found[name]["value"] for name in ("gamma", "hidden", "epochs")] == [20.0, 512, 20]
    sgd = dict.fromkeys(("lr", "dropout", "unfreeze")) | {"optimizer": "sgd"}
    found = defaults_of(made("dch", params=params | sgd | {"head": "linear", "tuning": "partial"}))
    assert found["lr"]["value"] == pytest.approx(0.003)
    assert found["dropout"]["value"] == 0.0  # of hidden units, which a linear head has not
    assert found["unfreeze"]["value"] is None  # the backbone decides


def test_other_code_may_have_had_other_ones() -> None:
    assert defaults_of(made("dch", code="Hasher 1+DeepHasher 3")) == {}
    assert defaults_of(made("dch", params={"unknown": None})) == {}
    assert defaults_of(record("not-here", 16, params={"lr": None})) == {}


def test_explain_and_pages_show_them(tmp_path, judge) -> None:
    store = Store(tmp_path / "results", create=True)
    kept = store.put(made("dch", status="failed", reason="out of luck"))
    words = ["dch:16:0", "--results", str(store.root)]
    lines = CliRunner().invoke(explain.command, words).output.splitlines()
    said = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines if " params." in line}
    assert said["params.lr"] == "0.001 (the recipe's default)"
    assert said["params.gamma"] == "10 (the method's default)"
    assert said["params.quantization"] == "0.1"
    body = json.loads(CliRunner().invoke(explain.command, [*words, "--json"]).output)
    assert Cell.from_dict(body["cell"]) == kept.cell
    assert body["defaults"]["lr"] == {"of": "recipe", "value": 0.001}
    cells, _ = cells_of(collect([kept], judge))
    assert cells[kept.key]["params"]["lr"] == 0.001
