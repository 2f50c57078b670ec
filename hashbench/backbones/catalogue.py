"""The networks that come with hashbench, and those that plugins bring."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from hashbench.backbones.backbone import Backbone
from hashbench.backbones.efficientnet_lite import VARIANTS, efficientnet_lite
from hashbench.backbones.timm_nets import PREFIX, timm_net
from hashbench.backbones.torchvision_nets import NETS, torchvision_net
from hashbench.errors import unknown
from hashbench.registries import registry

NETWORKS: Mapping[str, Callable[[], Backbone]] = {
    **{f"efficientnet_lite{variant}": partial(efficientnet_lite, variant) for variant in VARIANTS},
    **{name: partial(torchvision_net, name) for name in NETS},
}


#: Ours, for the registry of backbones.
BUILT_IN = tuple(make() for make in NETWORKS.values())


def network(name: str) -> Backbone:
    """The network called `name`.

    Raises:
        InputError: if there is none; the message has the nearest names.
    """
    if name.startswith(PREFIX):
        return timm_net(name.removeprefix(PREFIX))
    if name in NETWORKS:
        return NETWORKS[name]()
    plugins = registry("backbones")
    if name not in plugins.names():
        raise unknown("backbone", name, summaries())
    found: Backbone = plugins.get(name)
    code = plugins.entry(name).digest
    return replace(found, weights=partial(_with_code, found.weights, code)) if code else found


def _with_code(weights: Callable[[], str], code: str) -> str:
    """What features of a plugin's network depend on: its weights and its file."""
    return hashlib.sha256(f"{weights()} {code}".encode()).hexdigest()


def summaries() -> dict[str, str]:
    """Every backbone and one line about it."""
    lines = {"pixels": "plain pixels, for images of 32x32 at most"}
    plugins = registry("backbones")
    theirs = {
        name: part
        for name, part in plugins.parts().items()
        if plugins.entry(name).digest or plugins.entry(name).origin != "hashbench"
    }
    for name, made in {**theirs, **{key: make() for key, make in NETWORKS.items()}}.items():
        lines[name] = f"{made.summary}, {made.dim}-D"
        if made.multi_dim:
            lines[f"{name}:multi"] = f"the same with three late layers, {made.multi_dim}-D"
    lines[f"{PREFIX}NAME"] = "any pretrained network of timm"
    return lines
