"""From a stored cell to an encoder of new images."""

from __future__ import annotations

from hashbench.encoder.encoder import Encoder
from hashbench.errors import InputError, command
from hashbench.results.explain import cell_name
from hashbench.saved import load_hasher, read_file, sight_of
from hashbench.store import Record, Store


def encoder_of(store: Store, record: Record) -> Encoder:
    """The fitted hasher of a cell with the backbone it was trained on, ready to encode.

    Raises:
        InputError: if the cell has no hasher, or it is damaged.
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
    return Encoder(load_hasher(data, str(path)), sight)
