"""From what a user asked for to the cells that answer it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from hashbench.cell import Bench, Cell
from hashbench.data import dataset_label, dataset_place, open_dataset
from hashbench.endings import no_sudden_end
from hashbench.errors import InputError, cause, shown, unknown, unless_stopped
from hashbench.hasher import Hasher, code_of, hyperparameters
from hashbench.hyper import check
from hashbench.kept import kept_process, printed_aside
from hashbench.origin import Origin
from hashbench.params import Setting, at_length, shipped_note, shipped_params
from hashbench.parsing import parse_value
from hashbench.registries import methods
from hashbench.runner.settings import Ask

#: Data sets `run` takes when none is named and they are prepared.
STANDARD_DATASETS = ("cifar10", "nuswide", "coco")
EMBEDDED_DATASET = "digits"

#: What a run holds methods against, unless it is told not to.
FLOORS = ("lsh", "sign", "class-codes")


@dataclass(frozen=True)
class Request:
    """What a user asked for.

    Attributes:
        methods: method names.
        bits: code lengths.
        seeds: root seeds.
        datasets: data set names.
        protocol: protocol id, or None for each data set's default.
        split_seeds: seeds of the split's draw.
        backbone: feature extractor, or None for each data set's default.
        mode: training mode of deep methods.
        settings: hyper-parameters by method name; those under "" go to every
            method that has them.
        params: hyper-parameters by method name, as `read_params` gives them; a method
            named there does not start from what hashbench ships.
        params_file: name of that file.
        shipped: whether methods start from the hyper-parameters shipped for a setting.
        options: data set options, such as images allowed to be missing.
    """

    methods: tuple[str, ...]
    bits: tuple[int, ...]
    seeds: tuple[int, ...] = (0,)
    datasets: tuple[str, ...] = (EMBEDDED_DATASET,)
    protocol: str | None = None
    split_seeds: tuple[int, ...] = (0,)
    backbone: str | None = None
    mode: str = "head"
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    params_file: str = ""
    shipped: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


def prepared_datasets(data_root: Path) -> tuple[str, ...]:
    """The standard data sets that are ready on this machine."""
    from hashbench.registries import datasets

    return tuple(
        name
        for name in STANDARD_DATASETS
        if name in datasets().names() and open_dataset(name, data_root).status().prepared
    )


def default_datasets(data_root: Path) -> tuple[str, ...]:
    """What is searched where no data set is named: those prepared here, or the embedded one."""
    return prepared_datasets(data_root) or (EMBEDDED_DATASET,)


def with_floors(names: Sequence[str]) -> tuple[str, ...]:
    """Methods and the floors beneath them; floors alone stay alone.

    Raises:
        InputError: for an unknown method.
    """
    if all(methods().get(name).role == "floor" for name in names):
        return tuple(names)
    return tuple(dict.fromkeys((*names, *FLOORS)))


def plan(request: Request, data_root: Path) -> list[Ask]:
    """The cells of a request, in the order data set, draw of its split, method, bits, seed.

    Raises:
        InputError: for unknown names, or hyper-parameters a method refuses.
    """
    classes = {name: methods().get(name) for name in dict.fromkeys(request.methods)}
    _refuse_unused_settings(request.settings, classes)
    asks = []
    datasets = dict.fromkeys(request.datasets)
    for typed, split_seed in product(datasets, dict.fromkeys(request.split_seeds)):
        dataset = open_dataset(typed, data_root)
        bench = Bench(
            dataset=dataset_label(typed),
            protocol=dataset.protocol(request.protocol).id,
            split_seed=split_seed,
            backbone=request.backbone or dataset.default_backbone,
            options=dict(request.options),
        )
        for name, cls in classes.items():
            mode = request.mode if cls.kind == "deep" else "none"
            code = code_of(cls, methods().entry(name).digest)
            for bits in dict.fromkeys(request.bits):
                params, origin = _params(request, name, cls, bits, _made_for(bench, mode))
                build(name, cls, bits, 0, params)  # a refused value is known before any work
                asks += [
                    Ask(
                        Cell(bench, name, params, mode, bits, seed, code),
                        origin,
                        typed,
                        dataset_place(typed),
                    )
                    for seed in dict.fromkeys(request.seeds)
                ]
    return asks


def origins_line(asks: Sequence[Ask]) -> str:
    """One sentence where methods with tuned and with other hyper-parameters meet, else ""."""
    labels: dict[str, list[str]] = {}
    for ask in asks:
        if not ask.cell.params:
            continue  # a method without any
        names = labels.setdefault(ask.origin.base, [])
        if ask.cell.method not in names:
            names.append(ask.cell.method)
    if "tuned" not in labels or len(labels) < 2:
        return ""
    data = ", ".join(dict.fromkeys(ask.cell.bench.dataset for ask in asks))
    said = [f"{', '.join(labels.pop('tuned'))}: tuned for {data}"]
    said += [
        f"{', '.join(names)}: {'its' if len(names) == 1 else 'their'} defaults"
        if base == "defaults"
        else f"{', '.join(names)}: from {base}"
        for base, names in labels.items()
    ]
    searched = [name for name in labels.get("defaults", ()) if methods().get(name).space]
    untuned = searched[0] if searched else ""
    advice = f"tune it with `hashbench tune --method {untuned}`, or " if untuned else ""
    return f"Hyper-parameters differ in origin ({'; '.join(said)}): {advice}run all with --untuned."


def _made_for(bench: Bench, mode: str) -> Setting:
    return Setting(
        dataset=bench.dataset,
        protocol=bench.protocol,
        split_seed=bench.split_seed,
        tuning=mode,
        head="",
        backbone=bench.backbone,
    )


def _params(
    request: Request, name: str, cls: type[Hasher], bits: int, setting: Setting
) -> tuple[dict[str, Any], Origin]:
    """A method's hyper-parameters in a setting, whose head they say themselves; their origin."""
    base, note = "defaults", ""
    lower = at_length(request.params[name], bits) if name in request.params else None
    if lower is not None:
        base = request.params_file or "file"
    params = resolve(name, cls, request.settings, setting.tuning, lower or {})
    searched = not request.options.get("mirrored")  # a training set that no search saw
    if lower is None and request.shipped and searched:
        setting = replace(setting, head=params.get("head", ""))
        shipped = shipped_params(setting).get(name)
        lower = None if shipped is None else at_length(shipped, bits)
        if lower is not None:
            params = resolve(name, cls, request.settings, setting.tuning, lower)
            base, note = "tuned", shipped_note(setting, name, bits)
    known = hyperparameters(cls)
    set_here = {*request.settings.get("", {}), *request.settings.get(name, {})} & known.keys()
    sources = dict.fromkeys(lower or {}, "tuned" if base == "tuned" else "file")
    sources |= dict.fromkeys(set_here, "command line")
    return params, Origin({key: sources[key] for key in sorted(sources)}, base, note)


def resolve(
    name: str,
    cls: type[Hasher],
    settings: Mapping[str, Mapping[str, Any]],
    tuning: str,
    lower: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Every hyper-parameter of a method: its defaults, then `lower`, then the user's settings.

    Raises:
        InputError: for a hyper-parameter the method does not have, or a value of the wrong type.
    """
    known = hyperparameters(cls)
    params = dict(known)
    if "tuning" in known:
        params["tuning"] = tuning
    shared = {key: value for key, value in settings.get("", {}).items() if key in known}
    for key, value in (dict(lower or {}) | shared | dict(settings.get(name, {}))).items():
        if key not in known:
            raise unknown(f"hyper-parameter of {name}", key, known)
        params[key] = _typed(f"{name}.{key}", value, known[key])
    return _that_count(name, cls, params, tuning)


def _that_count(
    name: str, cls: type[Hasher], params: Mapping[str, Any], tuning: str
) -> dict[str, Any]:
    """The hyper-parameters that count in a training mode."""
    idle = {key for key, modes in cls.only_for.items() if tuning not in modes}
    for key in idle & params.keys():
        if params[key] != hyperparameters(cls)[key]:
            raise InputError(
                f"{name}.{key} has no effect with --train {tuning}: "
                f"use --train {' or '.join(cls.only_for[key])}, or leave it out"
            )
    found = {key: value for key, value in params.items() if key not in idle}
    for key, value in found.items():
        if not _can_be_named(value):
            raise InputError(
                f"{name}.{key} is {shown(value, 60)}, and results are named by their "
                "hyper-parameters: take finite numbers, words, true/false, None or lists of such"
            )
    return found


def _can_be_named(value: Any) -> bool:
    """Whether a hyper-parameter is the same once JSON has kept it."""
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def build(name: str, cls: type[Hasher], bits: int, seed: int, params: Mapping[str, Any]) -> Hasher:
    """A fresh hasher.

    Raises:
        InputError: if the method refuses its hyper-parameters, or raises anything else.
        MemoryError: if there is none for it.
    """
    try:
        with kept_process(), printed_aside(), no_sudden_end():
            hasher = cls(bits=bits, seed=seed, **params)  # type: ignore[call-arg]
            check(hasher)
        return hasher
    except (InputError, MemoryError):
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} refuses its hyper-parameters: {shown(error, 300)}") from error
    except BaseException as error:  # a stranger's method may raise anything
        unless_stopped(error)
        raise InputError(f"a hasher of {name} cannot be made: {cause(error)}") from error


def parse_setting(text: str) -> tuple[str, str, Any]:
    """`dch.gamma=10` as ("dch", "gamma", 10); `epochs=5` as ("", "epochs", 5).

    Raises:
        InputError: if `text` has another form.
    """
    path, separator, value = text.partition("=")
    method, dot, key = path.strip().rpartition(".")
    if not separator or not key or (dot and not method):
        raise InputError(
            f"cannot read the setting '{text}': write METHOD.NAME=VALUE, as in dch.gamma=10"
        )
    return method, key, parse_value(value)


def settings_by_method(texts: Sequence[str], head: str | None = None) -> dict[str, dict[str, Any]]:
    """The `--set` options, and `--head` for every method that has one, by method name."""
    found: dict[str, dict[str, Any]] = {"": {"head": head}} if head else {}
    for text in texts:
        method, key, value = parse_setting(text)
        found.setdefault(method, {})[key] = value
    return found


def _typed(path: str, value: Any, default: Any) -> Any:
    """`value` as the type of `default`; a hyper-parameter without one takes anything."""
    if default is None or value is None:
        return value
    kind = type(default)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        wanted = _ARTICLES.get(kind, kind.__name__)
        raise InputError(f"{path}={value!r} is not {wanted}, as its default {default!r} is")
    return value


_ARTICLES = {int: "a whole number", float: "a number", str: "a word", bool: "true or false"}


def _refuse_unused_settings(
    settings: Mapping[str, Mapping[str, Any]], classes: Mapping[str, type[Hasher]]
) -> None:
    for name in settings:
        if name and name not in classes:
            raise unknown("method in --set", name, classes)
    everything = sorted({key for cls in classes.values() for key in hyperparameters(cls)})
    for key in settings.get("", {}):
        if key not in everything:
            raise unknown("hyper-parameter", key, everything)
