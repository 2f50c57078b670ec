"""Any network of timm by name, its weights from the user's hub caches."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hashbench.backbones.backbone import Backbone, Preprocessing
from hashbench.backbones.weights import verified
from hashbench.errors import InputError, installs, python, unknown

if TYPE_CHECKING:
    from hashbench.backbones.network import Trunk

PREFIX = "timm:"


def timm_net(name: str) -> Backbone:
    """Timm's network `name` with its pretrained weights and its own preprocessing.

    Raises:
        InputError: if timm is not installed or has no such pretrained network.
    """
    timm = _timm()
    config = timm.models.get_pretrained_cfg(name)
    if config is None or not (config.url or config.hf_hub_id):
        raise unknown("timm network", name, timm.list_models(pretrained=True))
    side = int(config.input_size[-1])

    def weights() -> str:
        path = _find(config)
        remedy = (
            f"fetch them with `{python()} -c \"import timm; timm.create_model('{name}', "
            'pretrained=True)"`'
        )
        if path is None:
            raise InputError(f"the weights of {PREFIX}{name} are in none of your caches: {remedy}")
        return verified(path, _published(path), remedy)

    def trunk(**options: Any) -> Trunk:
        from torch import nn

        from hashbench.backbones.network import Trunk

        return Trunk(nn.Sequential(timm.create_model(name, num_classes=0, **options))).eval()

    def build(_side: int) -> Trunk:
        weights()
        return trunk(pretrained=True, pretrained_cfg_overlay={"file": str(_find(config))})

    return Backbone(
        name=PREFIX + name,
        summary=f"timm's {name}",
        dim=_columns(timm, name, side),
        preprocessing=Preprocessing(
            resize=max(side, int(side / config.crop_pct)),
            crop=side,
            enlarged=side,
            mean=_scaled(config.mean),
            std=_scaled(config.std),
            bicubic=config.interpolation != "bilinear",
        ),
        weights=weights,
        build=build,
        empty=lambda _side: trunk(pretrained=False),
        pretrained_on=f"as timm's tag {config.tag or 'of none'} says",
    )


def _timm() -> Any:
    try:
        import timm
    except ImportError as error:
        raise InputError(f"backbones named {PREFIX}NAME need timm: {installs('timm')}") from error
    return timm


def _scaled(values: tuple[float, ...]) -> tuple[float, float, float]:
    red, green, blue = (255 * float(value) for value in values)
    return red, green, blue


def _columns(timm: Any, name: str, side: int) -> int:
    """Columns of the features, found by shapes alone."""
    import torch

    with torch.device("meta"):
        net = timm.create_model(name, pretrained=False, num_classes=0).eval()
        return int(net(torch.empty(1, 3, side, side)).shape[-1])


def _find(config: Any) -> Path | None:
    """The weight file in the Hugging Face cache or in torch hub's."""
    import torch

    if config.hf_hub_id:
        from huggingface_hub import try_to_load_from_cache

        for file in (config.hf_hub_filename or "model.safetensors", "pytorch_model.bin"):
            found = try_to_load_from_cache(config.hf_hub_id, file)
            if isinstance(found, str):
                return Path(found)
    if config.url:
        path = Path(torch.hub.get_dir()) / "checkpoints" / config.url.rsplit("/", 1)[-1]
        if path.is_file():
            return path
    return None


def _published(path: Path) -> str:
    """The sha256 the file's name gives: a blob of the hub, or torch hub's digits."""
    blob = path.resolve().name
    if re.fullmatch(r"[0-9a-f]{64}", blob):
        return blob
    digits = re.search(r"-([0-9a-f]{8,})\.", path.name)
    return digits[1] if digits else ""
