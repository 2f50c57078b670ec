"""Codes made elsewhere, put beside what was run here: a cell that no method of ours fitted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hashbench.cell import Bench, Cell
from hashbench.codes import Codes
from hashbench.data import dataset_label, dataset_names, dataset_place, open_dataset
from hashbench.data.redrawn import redrawn
from hashbench.errors import InputError, shown, unknown
from hashbench.evaluation import code_health
from hashbench.evaluation.arrays import CodesAndLabels
from hashbench.evaluation.foreign import read_codes_of
from hashbench.evaluation.labels import class_members
from hashbench.evidence import Evidence
from hashbench.parsing import in_number
from hashbench.registries import methods
from hashbench.runner.benches import draw_split, evidence_of
from hashbench.runner.environment import environment
from hashbench.runner.train import dataset_facts, now, split_facts, stored_split
from hashbench.spelling import composed
from hashbench.store.arrays import Arrays, digest_of
from hashbench.store.record import Record
from hashbench.store.store import Store

#: What a method that was not run here calls itself in its records.
KIND = "external"

_NAME = re.compile(r"[a-z0-9][a-z0-9._+-]{0,39}")
_SIDES = ("query", "database")
_BENCH = ("protocol", "split-seed", "backbone")


@dataclass(frozen=True)
class Ground:
    """What codes are put on: a bench, what was found of it, and its labels.

    Attributes:
        bench: the bench.
        evidence: what was found of it.
        arrays: the arrays of its split, as the store keeps them.
        dataset: what the data set says of itself.
        split: what records say of the split.
        typed: the data set as it is typed.
    """

    bench: Bench
    evidence: Evidence
    arrays: Arrays = field(repr=False)
    dataset: Mapping[str, Any]
    split: Mapping[str, Any]
    typed: str


def put_external(
    store: Store,
    path: Path,
    name: str,
    ground: Ground,
    *,
    names: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Record:
    """Put the codes of a file into a store, as the cell of a method called `name`.

    Args:
        store: where.
        path: the codes, and labels where it has them, see `foreign.read_codes`; real-valued
            outputs are kept.
        name: what the method is called.
        ground: the bench they are of.
        names: what is called otherwise in the file.
        seed: which of several seeds of the same method they are.

    Returns:
        The record. Codes of the same name, bits and seed that were put there before are out
        of date with it.

    Raises:
        InputError: if the name is a method's, or the codes are not those of the bench's items.
        StoreError: if they cannot be kept.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"'{shown(name, 40)}' is no name of a method: write at most 40 small letters, digits, "
            "dots, dashes and plus signs"
        )
    if name in methods().names():
        raise InputError(
            f"{name} is a method of this installation: choose a name of its own for codes made "
            f"elsewhere, such as {name}-theirs"
        )
    labels = tuple(np.asarray(ground.arrays[f"{side}_labels"]) for side in _SIDES)
    inputs, checked = read_codes_of(path, (labels[0], labels[1]), names)
    _demand(path, inputs, ground, checked)
    content = _content(inputs.query, inputs.database)
    cell = Cell(ground.bench, name, {}, "none", inputs.query.bits, seed, f"{KIND} {content[:16]}")
    relaxed = inputs.query.relaxed is not None and inputs.database.relaxed is not None
    store.put_split(ground.evidence.split, lambda: ground.arrays)
    record = Record(
        key=cell.key(ground.evidence),
        cell=cell,
        evidence=ground.evidence,
        status="ok",
        parts={
            "method": {"title": name, "kind": KIND, "summary": f"codes of {path.name}"},
            "dataset": dict(ground.dataset),
        },
        request={
            "dataset": ground.typed,
            "plugins": [],
            "codes": path.name,
            "labels": "those of the file agree" if checked else "not in the file",
        },
        split=dict(ground.split),
        files={"split": digest_of(ground.arrays)},
        relaxed=relaxed,
        health={"query": code_health(inputs.query), "database": code_health(inputs.database)},
        environment=environment(),
        finished=now(),
    )
    with store.claim(record.key, timeout=60):
        record = store.put(record, (inputs.query, inputs.database))
        if relaxed:
            store.put_relaxed(record, (inputs.query, inputs.database))
    return record


def ground_of(store: Store, spec: str, data_root: Path) -> Ground:
    """The bench that a text names.

    It is one that the store has results of, so that the codes stand in one table with them,
    or else is drawn from the data set.

    Args:
        store: the results.
        spec: a data set, with what tells its benches apart, such as
            "cifar10,split-seed=1,backbone=alexnet"; or the beginning of a cell's key.
        data_root: folder of the data sets.

    Raises:
        InputError: for what names no bench or several, or data that cannot be had.
    """
    name, traits = _parsed(spec)
    records = [record for record in store.records() if record.ok]
    found = [
        record
        for record in records
        if _is_called(record, name)
        and all(getattr(record.cell.bench, trait) == value for trait, value in traits.items())
    ]
    if not found and len(name) > 3 and not traits:
        found = [record for record in records if record.key.startswith(name)]
    if not found:
        return _drawn(name, traits, data_root)
    newest = max(found, key=lambda record: record.age)
    benches = {str(record.cell.bench): record for record in found}
    if len(benches) > 1:
        listed = "; ".join(f"{record.key[:8]} ({bench})" for bench, record in benches.items())
        raise InputError(
            f"--bench {shown(name, 40)} is {len(benches)} benches of {store.root}: name one by a "
            f"cell of it, {listed}"
        )
    if _is_called(newest, name):
        _demand_unchanged(newest, data_root)
    return Ground(
        newest.cell.bench,
        newest.evidence,
        store.open_split(newest),
        newest.parts.get("dataset", {}),
        newest.split,
        str(newest.request.get("dataset") or newest.cell.bench.dataset),
    )


def _is_called(record: Record, name: str) -> bool:
    """Whether its data set has this name, or this was typed for it."""
    names = record.cell.bench.dataset, str(record.request.get("dataset", ""))
    return composed(name) in map(composed, names)


def _demand_unchanged(record: Record, data_root: Path) -> None:
    """Raise where the ids or labels of a bench are others here by now; what is not here is not.

    Raises:
        InputError: saying what to do.
    """
    bench = record.cell.bench
    if bench.options:  # what was left out or added cannot be told from labels
        return
    typed = str(record.request.get("dataset") or bench.dataset)
    try:
        split = redrawn(open_dataset(typed, data_root), bench.protocol, bench.split_seed)
    except InputError:
        return
    if split is not None and split.digest != record.evidence.split:
        raise InputError(
            f"{shown(typed, 60)} has other images or labels here than the results are of: run a "
            f"method on it first, or name the bench by a cell of it, {record.key[:8]}"
        )


def _parsed(spec: str) -> tuple[str, dict[str, Any]]:
    name, *parts = dataset_names(spec) or ("",)
    traits: dict[str, Any] = {}
    for part in parts:
        trait, sign, value = part.partition("=")
        if not sign or trait not in _BENCH:
            raise unknown("trait of a bench", trait, [f"{known}=..." for known in _BENCH])
        traits[trait.replace("-", "_")] = value
    if "split_seed" in traits:
        if not traits["split_seed"].isdecimal():
            raise InputError(f"split-seed={shown(traits['split_seed'], 20)} is not a whole number")
        traits["split_seed"] = int(traits["split_seed"])
    return name, traits


def _drawn(name: str, traits: Mapping[str, Any], data_root: Path) -> Ground:
    dataset = open_dataset(name, data_root)
    bench = Bench(
        dataset_label(name),
        dataset.protocol(traits.get("protocol")).id,
        traits.get("split_seed", 0),
        traits.get("backbone") or dataset.default_backbone,
    )
    split = draw_split(dataset_place(name), bench, data_root)
    return Ground(
        bench,
        evidence_of(split, bench),
        stored_split(split),
        dataset_facts(bench.dataset),
        split_facts(split),
        name,
    )


def _demand(path: Path, inputs: CodesAndLabels, ground: Ground, checked: bool) -> None:
    """Raise unless codes and labels are as many, and as labelled, as the items of the bench."""
    ids = "that of query_ids and database_ids of the file in the results' folder splits"
    for side, codes in zip(_SIDES, inputs[:2], strict=True):
        count = len(ground.arrays[f"{side}_labels"])
        if len(codes) != count:
            raise InputError(
                f"{path} has codes of {in_number(len(codes), f'{side} item', f'{side} items')}, "
                f"and {ground.bench} has "
                f"{count:,}: give a code for each of them, in its order ({ids})"
            )
    if not checked:
        return
    ours = class_members(*(ground.arrays[f"{side}_labels"] for side in _SIDES))
    theirs = class_members(inputs.query_labels, inputs.database_labels)
    if ours != theirs:
        raise InputError(
            f"the labels of {path} are not those of {ground.bench}: of its {ours.total()} classes "
            f"{(ours & theirs).total()} have the same items there; give the items in its order "
            f"({ids})"
        )


def _content(query: Codes, database: Codes) -> str:
    arrays: dict[str, Any] = {}
    for side, codes in zip(_SIDES, (query, database), strict=True):
        arrays[side] = codes.packed
        if codes.relaxed is not None:
            arrays[f"{side}_relaxed"] = codes.relaxed
    return digest_of({**arrays, "bits": np.array(query.bits)})
