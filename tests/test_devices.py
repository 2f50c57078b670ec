"""Which device is meant, for everything alike, on machines with other GPUs than this one has."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from mocked_gpus import pretend
from tiny_network import tiny_backbone, tiny_trunk

import hashbench
from hashbench import cli, devices, runtime
from hashbench.backbones import engines, extraction
from hashbench.errors import InputError
from hashbench.evaluation import backends, torch_engine
from hashbench.runtime import Runtime
from hashbench.training.device import compute_on


@pytest.mark.parametrize(
    ("cuda", "mps", "name", "wanted"),
    [
        (0, False, "auto", "cpu"),
        (8, False, "auto", "cuda"),
        (0, True, "auto", "mps"),
        (8, False, "cpu", "cpu"),
        (8, False, "cuda", "cuda"),
        (8, False, "cuda:7", "cuda:7"),
        (1, True, "mps", "mps"),
    ],
)
def test_a_name_means_one_device(monkeypatch, cuda, mps, name, wanted):
    pretend(monkeypatch, cuda, mps=mps)
    assert devices.resolve(name) == wanted


@pytest.mark.parametrize("name", ["gpu", "cuda:2", "cuda:-1", "mps", "meta", "cpu:0", "", "a\nb"])
def test_a_device_that_is_not_there_is_one_sentence_with_those_that_are(monkeypatch, name):
    pretend(monkeypatch, 2)
    with pytest.raises(InputError, match="this machine has cpu, cuda:0, cuda:1; name") as refusal:
        devices.check(name)
    assert str(refusal.value).isprintable()


def test_a_driver_that_cannot_be_used_leaves_the_cpu(monkeypatch):
    pretend(monkeypatch, 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert devices.resolve("auto") == "cpu"


def test_a_cluster_has_devices_of_its_own(monkeypatch):
    pretend(monkeypatch)
    devices.check("cuda", here=False)
    with pytest.raises(InputError, match="no device 'gpu'"):
        devices.check("gpu", here=False)


@pytest.mark.parametrize("verb", [["run", "--methods", "lsh"], ["tune", "--method", "dch"]])
def test_nothing_starts_on_a_device_that_is_not_there(monkeypatch, tmp_path, capsys, verb):
    pretend(monkeypatch)
    asked = [*verb, "--datasets", "digits", "--device", "cuda", "--results", str(tmp_path / "r")]
    with pytest.raises(SystemExit) as end:
        cli.main(asked)
    assert end.value.code == 2
    assert "no device 'cuda' here: this machine has cpu" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()
    with pytest.raises(InputError, match="no device 'gpu' here"):
        hashbench.run("lsh", 8, "digits", device="gpu", results=tmp_path / "r", progress=False)


@pytest.mark.parametrize("device", ["cpu", "cuda:3", "mps"])
def test_extraction_training_and_counting_are_on_the_device_that_is_named(monkeypatch, device):
    """Networks and codes stay where they are: what they are asked to go to is looked at."""
    trunk, found = tiny_trunk(48), {}
    backbone = replace(tiny_backbone(), build=lambda _side: trunk)
    pretend(monkeypatch, 4, mps=True)
    monkeypatch.setattr(
        engines, "TorchEngine", lambda _graph, device, _threads=None: found.update(engine=device)
    )
    monkeypatch.setattr(
        engines, "OpenVINOEngine", lambda *_args, **_named: found.update(engine="cpu")
    )
    monkeypatch.setattr(torch_engine, "count", lambda *given: found.update(count=given[-1]))
    with runtime.use(Runtime(device)):
        extraction.make_engine(backbone, (16, 16, 3), multi=False)
        with compute_on() as trained:
            found["train"] = str(trained)
        name, engine = backends.choose("auto", 10**11)
    if name == "cuda":
        engine(None, None, None, False)  # type: ignore[arg-type]
    counted = {"count": "cuda:3"} if device == "cuda:3" else {}  # MPS has no float64
    assert found == {"engine": device, "train": device, **counted}
