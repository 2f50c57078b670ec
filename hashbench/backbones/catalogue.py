"""The networks that come with hashbench."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from hashbench.backbones.backbone import Backbone
from hashbench.backbones.efficientnet_lite import VARIANTS, efficientnet_lite
from hashbench.backbones.timm_nets import PREFIX, timm_net
from hashbench.backbones.torchvision_nets import NETS, torchvision_net
from hashbench.errors import unknown

NETWORKS: Mapping[str, Callable[[], Backbone]] = {
    **{f"efficientnet_lite{variant}": partial(efficientnet_lite, variant) for variant in VARIANTS},
    **{name: partial(torchvision_net, name) for name in NETS},
}


def network(name: str) -> Backbone:
    """The network called `name`.

    Raises:
        InputError: if there is none; the message has the nearest names.
    """
    if name.startswith(PREFIX):
        return timm_net(name.removeprefix(PREFIX))
    if name not in NETWORKS:
        raise unknown("backbone", name, summaries())
    return NETWORKS[name]()


def summaries() -> dict[str, str]:
    """Every backbone and one line about it."""
    lines = {"pixels": "plain pixels, for images of 32x32 at most"}
    for name, make in NETWORKS.items():
        made = make()
        lines[name] = f"{made.summary}, {made.dim}-D"
        if made.multi_dim:
            lines[f"{name}:multi"] = f"the same with three late layers, {made.multi_dim}-D"
    lines[f"{PREFIX}NAME"] = "any pretrained network of timm"
    return lines
