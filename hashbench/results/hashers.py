"""From a stored cell to an encoder of new images."""

from __future__ import annotations

import warnings
from dataclasses import replace

from hashbench.backbones import get_backbone
from hashbench.encoder.encoder import Encoder
from hashbench.encoder.fronts import PIXELS
from hashbench.errors import InputError, command
from hashbench.hasher import code_of
from hashbench.registries import methods
from hashbench.results.explain import cell_name
from hashbench.saved import load_hasher, read_file, sight_of
from hashbench.store import Record, Store


def encoder_of(store: Store, record: Record) -> Encoder:
    """The fitted hasher of a cell with the backbone it was trained on, ready to encode.

    It gives the codes that are stored, or a warning says why it may not.

    Raises:
        InputError: if the cell has no hasher, it is damaged, or its backbone is another here.
    """
    name = cell_name(record)
    digest = record.files.get("hasher")
    if digest is None:
        why = "was kept without its hasher" if record.ok else f"has none ({record.status})"
        forget = command("forget", record.key, "--results", store.root)
        raise InputError(
            f"{name} in {store.root} {why}: `{forget}` and a run without --discard hashers train "
            "it again"
        )
    path = store.path("hasher", record.key)
    data = read_file(path, digest)
    sight = sight_of(data, str(path))
    if sight is None:
        raise InputError(f"{path} does not say what its hasher was shown: train {name} again")
    hasher = load_hasher(data, str(path))
    _demand_backbone(record, sight.backbone, name)
    code, before = code_of(type(hasher), methods().entry(hasher.name).digest), record.cell.code
    if code != before:
        warnings.warn(
            f"{name} was trained by other code of {hasher.name} than is here: its codes may differ "
            "from those that are stored",
            stacklevel=2,
        )
    return Encoder(hasher, sight)


def _demand_backbone(record: Record, backbone: str, name: str) -> None:
    """Raise where the backbone of that name has become another: codes would not be comparable."""
    if backbone == PIXELS:
        return
    network = get_backbone(backbone.removesuffix(":multi"))
    found = replace(record.evidence, preprocessing=network.preprocessing.sha256)
    if record.cell.mode != "full":  # else every weight is the hasher's own
        found = replace(found, weights=network.weights())
    if found != record.evidence:
        raise InputError(
            f"{name} was trained on a {backbone} of other weights or preprocessing than the one "
            "installed here, whose codes would not be those that are stored: put that one back, "
            "or run the cell again"
        )
