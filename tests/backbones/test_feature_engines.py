import subprocess
import sys

import numpy as np
import pytest
import torch

from hashbench.backbones import engines
from hashbench.backbones.backbone import TINY, Preprocessing
from hashbench.backbones.engines import OpenVINOEngine, TorchEngine, best_engine
from hashbench.backbones.network import Graph


def graph(network, side=48, multi=True):
    return Graph(network.build(side), network.preprocessing, side, multi=multi).eval()


def test_engines_agree(network, source):
    batches = [source.pixels[:32], source.pixels[32:64], source.pixels[64:]]
    shape = (32, 32, 3)
    slow = np.concatenate(list(TorchEngine(graph(network), "cpu").run(batches)))
    fast = np.concatenate(list(OpenVINOEngine(graph(network), shape, 1).run(batches)))
    assert slow.shape == fast.shape == (70, 10)
    assert np.abs(slow).max() > 0.1
    np.testing.assert_allclose(slow, fast, atol=1e-4)


def test_torch_serves_where_openvino_is_missing_or_fails(network, monkeypatch):
    def missing(*_args):
        raise ImportError("no openvino")

    monkeypatch.setattr(engines, "OpenVINOEngine", missing)
    assert isinstance(best_engine(graph(network), (32, 32, 3), 1), TorchEngine)

    def failing(*_args):
        raise RuntimeError("this CPU is not served")

    monkeypatch.setattr(engines, "OpenVINOEngine", failing)
    with pytest.warns(UserWarning, match="this CPU is not served"):
        assert isinstance(best_engine(graph(network), (32, 32, 3), 1), TorchEngine)


def test_multi_is_the_features_and_the_pooled_taps(network):
    trunk = network.build(48)
    pixels = torch.randn(3, 3, 48, 48)
    with torch.no_grad():
        both = trunk.multi(pixels)
        assert torch.equal(both[:, :6], trunk(pixels))
        early = trunk.stages[:2](pixels)
    torch.testing.assert_close(both[:, 6:], early.mean((2, 3)))
    assert not trunk.stages[2]._forward_pre_hooks


def test_the_graph_normalises_and_enlarges(network, source):
    preprocessing = network.preprocessing
    batch = source.pixels[:2]
    pixels = (torch.from_numpy(batch).permute(0, 3, 1, 2).float() - 127) / 128
    large = torch.nn.functional.interpolate(
        pixels, size=(48, 48), mode="bicubic", align_corners=False
    )
    with torch.no_grad():
        expected = network.build(48)(large)
        found = Graph(network.build(48), preprocessing, 48)(torch.from_numpy(batch))
    torch.testing.assert_close(found, expected)


def test_the_regime_follows_the_shape():
    preprocessing = Preprocessing(resize=40, crop=32, enlarged=48)
    assert preprocessing.side((TINY, TINY, 3)) == 48
    assert preprocessing.side((TINY, TINY + 1, 3)) == 32
    image = np.zeros((20, 30, 3), np.uint8)
    assert preprocessing.frame(image, (20, 30, 3)) is image
    assert preprocessing.frame(image, (32, 32, 3)).shape == (32, 32, 3)
    assert preprocessing.frame(image, (100, 90, 3)).shape == (32, 32, 3)


def test_the_crop_is_the_centre():
    preprocessing = Preprocessing(resize=40, crop=32)
    image = np.zeros((160, 320, 3), np.uint8)
    image[:, 96:224] = 255  # the centred square of 128 = 160 * 32 / 40 pixels
    cropped = preprocessing.frame(image, image.shape)
    assert cropped[:, 1:-1].min() == 255


def test_importing_openvino_sends_nothing():
    code = (
        "import sys\n"
        "from hashbench.backbones.engines import import_openvino\n"
        "import_openvino()\n"
        "loaded = [name for name in sys.modules if name.startswith('openvino_telemetry')]\n"
        "assert sys.modules['openvino_telemetry'] is None, loaded\n"
        "assert len(loaded) == 1, loaded\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=900)
