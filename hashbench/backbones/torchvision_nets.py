"""torchvision's ImageNet networks, their weights from the user's torch hub cache."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hashbench.backbones.backbone import Backbone, Preprocessing
from hashbench.backbones.weights import load, verified
from hashbench.errors import python

if TYPE_CHECKING:
    from torch import nn

    from hashbench.backbones.network import Trunk

#: torchvision's evaluation recipe; tiny images are enlarged as the hashing papers do.
_PREPROCESSING = Preprocessing(
    resize=256,
    crop=224,
    enlarged=224,
    mean=(123.675, 116.28, 103.53),
    std=(58.395, 57.12, 57.375),
    bicubic=False,
)

#: name -> (weights enumeration of torchvision.models, columns, summary)
NETS = {
    "alexnet": ("AlexNet_Weights", 4096, "AlexNet, fc7: the hashing papers' choice"),
    "resnet18": ("ResNet18_Weights", 512, "ResNet-18, global average pooling"),
    "resnet50": ("ResNet50_Weights", 2048, "ResNet-50, global average pooling"),
}


def torchvision_net(name: str) -> Backbone:
    """AlexNet or a ResNet with torchvision's first ImageNet weights."""
    enumeration, dim, summary = NETS[name]

    def path() -> Path:
        import torch
        from torchvision import models

        url: str = getattr(models, enumeration).IMAGENET1K_V1.url
        return Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]

    def weights() -> str:
        # Torch hub's file names end in the first digits of the file's sha256.
        digits = path().stem.rsplit("-", 1)[-1]
        return verified(path(), digits, _remedy(enumeration))

    def build(_side: int) -> Trunk:
        weights()
        return _trunk(name, path())

    return Backbone(
        name=name,
        summary=summary,
        dim=dim,
        preprocessing=_PREPROCESSING,
        weights=weights,
        build=build,
        empty=lambda _side: _trunk(name, None),
        pretrained_on="ImageNet-1k",
    )


def _trunk(name: str, path: Path | None) -> Trunk:
    from torchvision import models

    from hashbench.backbones.network import Trunk

    net = getattr(models, name)()
    if path is not None:
        net.load_state_dict(load(path), strict=True)
    return Trunk(_alexnet(net) if name == "alexnet" else _resnet(net)).eval()


def _remedy(enumeration: str) -> str:
    return (
        f'fetch them with `{python()} -c "from torchvision.models import {enumeration} as W; '
        'W.IMAGENET1K_V1.get_state_dict(check_hash=True)"`'
    )


def _alexnet(net: nn.Module) -> nn.Sequential:
    from torch import nn

    fc7 = net.classifier[:6]  # type: ignore[index]  # both hidden layers with their ReLU
    return nn.Sequential(*net.features, net.avgpool, nn.Flatten(), *fc7)  # type: ignore[misc, arg-type]


def _resnet(net: nn.Module) -> nn.Sequential:
    from torch import nn

    stem = nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool)  # type: ignore[arg-type]
    blocks = [
        block
        for layer in (net.layer1, net.layer2, net.layer3, net.layer4)
        for block in layer  # type: ignore[union-attr]
    ]
    return nn.Sequential(stem, *blocks, net.avgpool, nn.Flatten())  # type: ignore[arg-type]
