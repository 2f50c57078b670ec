"""An encoder as a folder that works anywhere.

Layout::

    encoder.json            preprocessing, and the sha256 of the files beside it
    hasher.safetensors      the fitted hasher (`hashbench/saved.py`)
    backbone.safetensors    the pretrained network's weights, where the hasher needs them
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import tempfile
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hashbench.encoder.encoder import Encoder
from hashbench.encoder.fronts import PIXELS
from hashbench.errors import InputError, shown
from hashbench.files import open_regular
from hashbench.saved import MOST_BYTES, dump_hasher, load_hasher, sight_of

if TYPE_CHECKING:
    from hashbench.backbones.backbone import Backbone, Preprocessing

FORMAT = 1
DESCRIPTION, HASHER, BACKBONE = "encoder.json", "hasher.safetensors", "backbone.safetensors"

#: Bytes of the longest description that is read.
LONGEST = 100_000

#: Sides of inputs beyond this are no network's.
LARGEST_SIDE = 2048


def save(encoder: Encoder, path: Path) -> Path:
    """Write an encoder's folder; one that is there already is replaced.

    Raises:
        InputError: if something else is there, or it cannot be written.
    """
    if path.exists() and not (path / DESCRIPTION).is_file():
        raise InputError(f"{path} is there already and is no encoder: name another folder")
    files = {HASHER: dump_hasher(encoder.hasher, encoder.sight)}
    body: dict[str, Any] = {"format": FORMAT, "kind": "hashbench encoder"}
    if encoder.sight.backbone != PIXELS:
        from hashbench.backbones import get_backbone

        network = encoder.network or get_backbone(encoder.sight.backbone.removesuffix(":multi"))
        body["preprocessing"] = asdict(network.preprocessing)
        body["weights"] = network.weights()
        files[BACKBONE] = _weights(network, encoder)
    body["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    text = json.dumps(body, indent=1).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        try:
            for name, data in {**files, DESCRIPTION: text}.items():
                (aside / name).write_bytes(data)
            aside.chmod(0o755)
            if path.exists():
                shutil.rmtree(path)
            aside.rename(path)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise InputError(
            f"the encoder {path} cannot be written ({shown(error)}): name another folder"
        ) from error
    return path


def load(path: str | Path) -> Encoder:
    """The encoder that `Encoder.save` wrote, ready to encode.

    Args:
        path: its folder; a stranger's may be damaged or forged.

    Raises:
        InputError: if it is none, or damaged.
    """
    folder = Path(path)
    where = shown(str(path), 200)
    text = _read(folder / DESCRIPTION, LONGEST, where)
    try:
        body = json.loads(text)
        digests = {
            name: body["files"][name] for name in (HASHER, BACKBONE) if name in body["files"]
        }
        if body["format"] != FORMAT or HASHER not in digests:
            raise ValueError(f"it has the format {shown(body['format'], 20)}")
        preprocessing = _preprocessing(body["preprocessing"]) if BACKBONE in digests else None
        weights = str(body.get("weights", ""))
    except Exception as error:  # a forged description may raise anything
        raise InputError(
            f"{where} is no encoder that hashbench wrote ({type(error).__name__}: {shown(error)}): "
            "save it again"
        ) from error
    data = {name: _read(folder / name, MOST_BYTES, where) for name in digests}
    for name, digest in digests.items():
        if hashlib.sha256(data[name]).hexdigest() != digest:
            raise InputError(
                f"{shown(str(folder / name), 200)} is damaged or of another encoder: save it again"
            )
    sight = sight_of(data[HASHER], where)
    if sight is None:
        raise InputError(f"{where} does not say what its hasher was shown: save it again")
    if preprocessing is None:
        return _started(Encoder(load_hasher(data[HASHER], where), sight), where)
    from hashbench.backbones import get_backbone, provided

    known = get_backbone(sight.backbone.removesuffix(":multi"))
    known = replace(known, preprocessing=preprocessing, weights=lambda: weights)
    network = _with_weights(known, data[BACKBONE], where)
    with provided(network):
        hasher = load_hasher(data[HASHER], where)
    return _started(Encoder(hasher, sight, network), where)


def _started(encoder: Encoder, where: str) -> Encoder:
    """The encoder with its network compiled."""
    try:
        _ = encoder.front
    except InputError:
        raise
    except Exception as error:  # engines and networks say no in their own ways
        raise InputError(
            f"the network of {where} cannot be built ({type(error).__name__}: {shown(error)}): "
            "save it again"
        ) from error
    return encoder


def _weights(network: Backbone, encoder: Encoder) -> bytes:
    """The network's tensors; none where every one of them was trained, and is the hasher's."""
    from safetensors.torch import save as save_tensors

    if getattr(encoder.hasher, "tuning", "head") == "full":
        return bytes(save_tensors({}))
    side = network.preprocessing.side(encoder.sight.shape)
    state = network.build(side).state_dict()
    return bytes(save_tensors({name: tensor.contiguous() for name, tensor in state.items()}))


def _with_weights(known: Backbone, data: bytes, where: str) -> Backbone:
    """The network of that name with the weights of a file instead of those installed here."""
    import torch

    from hashbench.pieces import tensors_of

    empty = known.empty
    if empty is None:
        raise InputError(f"the network {known.name} cannot be built without its own weights file")
    try:
        tensors = {name: torch.from_numpy(tensor) for name, tensor in tensors_of(data).items()}
    except Exception as error:  # damaged files raise almost anything
        raise InputError(f"the weights of {where} are damaged: save it again") from error

    def build(side: int) -> Any:
        trunk = empty(side)
        if tensors:  # else all of them are the hasher's own
            trunk.load_state_dict(tensors)
        return trunk.eval()

    return replace(known, build=build)


def _preprocessing(body: dict[str, Any]) -> Preprocessing:
    from hashbench.backbones.backbone import Preprocessing

    if body.keys() != {item.name for item in fields(Preprocessing)}:
        raise ValueError("its preprocessing has other parts")
    for name in ("resize", "crop", "enlarged"):
        if type(body[name]) is not int or not 0 < body[name] <= LARGEST_SIDE:
            raise ValueError(f"{name} is {shown(body[name], 20)}")
    for name in ("mean", "std"):
        if len(body[name]) != 3 or not all(math.isfinite(float(part)) for part in body[name]):
            raise ValueError(f"{name} is {shown(body[name], 40)}")
    colours = {name: tuple(float(part) for part in body[name]) for name in ("mean", "std")}
    return Preprocessing(**{**body, **colours, "bicubic": bool(body["bicubic"])})


def _read(path: Path, most: int, where: str) -> bytes:
    try:
        with open_regular(path) as stream:
            data = stream.read(most + 1)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{where} is no encoder ({path.name}: {shown(error)}): name a folder that "
            "`hashbench` saved one in"
        ) from error
    if len(data) > most:
        raise InputError(f"{where} is no encoder: its {path.name} is too large")
    return data
