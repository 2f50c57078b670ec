"""The Python front door: run methods, open results, take a hasher home."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import signature
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hashbench.errors import InputError, shown, unknown
from hashbench.parsing import parse_duration, parse_names, parse_numbers, parse_seeds, parse_size
from hashbench.runtime import DEFAULT_RESULTS
from hashbench.spelling import typed

if TYPE_CHECKING:
    from hashbench.encoder.encoder import Encoder
    from hashbench.results.results import Results
    from hashbench.runner.run import Job

#: Code lengths a run takes where none is named.
BITS = (16, 32, 48, 64)

Names = str | Iterable[str]
Numbers = str | int | Iterable[int]


def run(
    methods: Names = "dch,hashnet",
    bits: Numbers = BITS,
    datasets: Names | None = None,
    *,
    progress: bool = True,
    **options: Any,
) -> Results:
    """Train, encode and score methods, and return their results; what is done is not done again.

    Args:
        methods: names, as a list or separated by commas; "all" for every one.
        bits: code lengths.
        datasets: names; None takes those of cifar10, nuswide and coco that are prepared here, or
            else the embedded digits.
        progress: show how it goes.
        options: as `job` takes them: seeds, backbone, train, settings, results and so on.

    Returns:
        The results of the cells that were asked for; `results.missing` says which of them lack
        scores, and why.

    Raises:
        InputError: for whatever cannot be used, in one sentence.

    Example:
        >>> import hashbench, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     results = hashbench.run(
        ...         "lsh", 16, "digits", results=folder, workers=0, progress=False
        ...     )
        ...     frame = results.frame()
        >>> sorted(set(frame["method"]))
        ['lsh']
    """
    known = signature(job).parameters
    for name in options:
        if name not in known:
            raise unknown("argument of run", name, known)
    return run_job(job(methods, bits, datasets, **options), progress=progress)


def run_job(job: Job, *, progress: bool = True, begun: Callable[[], None] | None = None) -> Results:
    """Do what `job` made; `begun` is called once nothing is refused any more.

    Raises:
        InputError: if no cell's data can be had, or the results cannot be kept.
    """
    from hashbench.progress import show
    from hashbench.results.choose import find_again
    from hashbench.results.results import Results
    from hashbench.runner import run as runner
    from hashbench.runner.train import now
    from hashbench.store import Store

    outcome = runner.run_job(job, show(job, quiet=not progress), begun)
    keys = tuple(task.key for task in outcome.tasks)
    records = outcome.records
    if keys:
        records = find_again(Store(job.settings.store), keys, now(), records)
    return Results(
        job.settings.store,
        conventions=job.settings.conventions,
        keys=keys,
        missing=tuple((str(ask.cell), reason) for ask, reason in outcome.missing),
        trained=outcome.trained,
        scored=outcome.scored,
        read=tuple(records[key] for key in keys if key in records),
    )


def job(
    methods: Names = "dch,hashnet",
    bits: Numbers = BITS,
    datasets: Names | None = None,
    *,
    seeds: Numbers = 1,
    protocol: str | None = None,
    split_seed: int = 0,
    split_seeds: Numbers | None = None,
    backbone: str | None = None,
    train: str = "head",
    head: str | None = None,
    settings: Mapping[str, Any] | Sequence[str] | str = (),
    params: Path | str | None = None,
    untuned: bool = False,
    floors: bool = True,
    conventions: Names = "house,deephash",
    keep_relaxed: bool = False,
    discard: Names = (),
    lookup: bool = False,
    device: str = "auto",
    workers: int | None = None,
    timeout: float | str | None = None,
    memory: int | str | None = None,
    executor: str = "local",
    allow_missing: bool = False,
    allow_overlap: bool = False,
    allow_unlabelled: bool = False,
    allow_duplicates: bool = False,
    distractors: Path | str | None = None,
    mirrored: bool = False,
    results: Path | str = DEFAULT_RESULTS,
    data_root: Path | str | None = None,
    plugins: Path | str | Iterable[Path | str] = (),
) -> Job:
    """What `run` is to do, checked and not yet begun.

    Args:
        methods: see `run`.
        bits: see `run`.
        datasets: see `run`.
        seeds: how many root seeds, or a list of them.
        protocol: how the data is split; None for each data set's default.
        split_seed: seed of the split's draw.
        split_seeds: how many draws of the split, or a list of their seeds, in place of
            `split_seed`; tables show the mean over them.
        backbone: feature extractor; None for each data set's default.
        train: what deep methods train: "head", "partial" or "full".
        head: head of deep methods, "linear" or "mlp".
        settings: hyper-parameters, as {"dch.gamma": 10} or ["dch.gamma=10"].
        params: a file of hyper-parameters, as `hashbench tune` writes it.
        untuned: start from the methods' own defaults, not from tuned ones.
        floors: add what methods are held against, lsh, sign and class-codes, where any of the
            methods is not such a floor itself.
        conventions: evaluation conventions.
        keep_relaxed: store real-valued outputs beside the codes.
        discard: "hashers" to store none.
        lookup: measure FAISS lookup within radius 2.
        device: where features are extracted, networks trained and run, and pairs counted:
            "auto", "cpu", "cuda", "cuda:1" or "mps".
        workers: cells at a time, None for as many as serve; 0 runs them in this process.
        timeout: seconds a cell may take, or "2h".
        memory: bytes a worker may allocate, or "8G".
        executor: "local", "ray" or "slurm".
        allow_missing: go on without images that are listed and not there.
        allow_overlap: go on when lists share queries with the database.
        allow_unlabelled: go on when lists hold images without any label.
        allow_duplicates: go on when lists hold the same file as query and in another part.
        distractors: a folder whose images grow the database, relevant to no query.
        mirrored: train on every training image and on its mirror image.
        results: folder of the results.
        data_root: folder of the data sets.
        plugins: Python files with parts of your own, or one.

    Raises:
        InputError: for whatever cannot be used, in one sentence.
    """
    from hashbench import devices
    from hashbench.cell import MODES
    from hashbench.data import default_data_root
    from hashbench.evaluation import Convention
    from hashbench.params import read_params
    from hashbench.registries import load_plugins, registry
    from hashbench.runner.execute import Limits
    from hashbench.runner.plan import (
        Request,
        default_datasets,
        plan,
        settings_by_method,
        with_floors,
    )
    from hashbench.runner.run import Job
    from hashbench.runner.settings import Settings

    devices.check(device, here=executor == "local")
    files = _files(plugins)
    load_plugins(files)
    registry("executors").entry(executor)  # what is not there is known before any work
    if train not in MODES:
        raise unknown("training mode", train, MODES)
    if unwanted := set(parse_names(_text("discard", discard))) - {"hashers"}:
        raise unknown("kind of file to discard", sorted(unwanted)[0], ["hashers"])
    root = typed(data_root) if data_root is not None else default_data_root()
    place = None if params is None else typed(params)
    names = _some("method", parse_names(_text("methods", methods)))
    asked = tuple(registry("methods").names()) if names == ("all",) else names
    allowed = {
        "allow_missing": allow_missing,
        "allow_overlap": allow_overlap,
        "allow_unlabelled": allow_unlabelled,
        "allow_duplicates": allow_duplicates,
        "distractors": str(typed(distractors).resolve()) if distractors else "",
        "mirrored": mirrored,
    }
    texts = (
        [f"{name}={_json(value)}" for name, value in settings.items()]
        if isinstance(settings, Mapping)
        else [settings]
        if isinstance(settings, str)
        else list(settings)
    )
    request = Request(
        methods=with_floors(asked) if floors else asked,
        bits=parse_numbers(_text("bits", bits), "--bits", low=1, high=1024),
        seeds=parse_seeds(_text("seeds", seeds, alone=True)),
        datasets=default_datasets(root)
        if datasets is None
        else _some("data set", _data_sets(datasets)),
        protocol=protocol,
        split_seeds=parse_seeds(f"{_text('split_seed', split_seed)},", "--split-seed")
        if split_seeds is None
        else parse_seeds(_text("split_seeds", split_seeds, alone=True), "--split-seeds"),
        backbone=backbone,
        mode=train,
        settings=settings_by_method(texts, head),
        params={} if place is None else read_params(place),
        params_file="" if place is None else place.name,
        shipped=not untuned,
        options={name: given for name, given in allowed.items() if given},
    )
    for what, limit in (("workers", workers), ("timeout", timeout), ("memory", memory)):
        if limit is not None and not isinstance(limit, str) and limit < 0:
            raise InputError(f"{what} must not be below 0, got {limit}")
    limits = Limits(
        workers=workers,
        timeout=parse_duration(timeout, "--timeout") if isinstance(timeout, str) else timeout,
        memory=parse_size(memory, "--memory") if isinstance(memory, str) else memory,
    )
    shared = Settings(
        store=typed(results),
        data_root=root,
        conventions=tuple(map(str, Convention.parse_list(_text("conventions", conventions)))),
        keep_relaxed=keep_relaxed,
        keep_hashers="hashers" not in parse_names(_text("discard", discard)),
        lookup=lookup,
        device=device,
        plugins=files,
    )
    return Job(plan(request, root), shared, limits, executor)


def open_results(
    folder: Path | str = DEFAULT_RESULTS, *, plugins: Path | str | Iterable[Path | str] = ()
) -> Results:
    """The results in a folder.

    Args:
        folder: as `hashbench run --results` wrote it.
        plugins: Python files with metrics, conventions and so on of your own, or one.

    Raises:
        InputError: if there are none.

    Example:
        >>> import hashbench, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = hashbench.run("lsh", 8, "digits", results=folder, workers=0, progress=False)
        ...     (series,) = hashbench.open_results(folder).table("r@h2")
        ...     (row,) = series.rows
        ...     recall = series.entry(row, 8).mean
        >>> row.method, series.info.title, 0 < recall < 1
        ('lsh', 'R@H<=2', True)
    """
    from hashbench.registries import load_plugins
    from hashbench.results.results import Results

    load_plugins(_files(plugins))
    found = Results(typed(folder))
    _ = found.store  # refuses a folder that has none
    return found


def load(path: Path | str, cell: str | None = None) -> Encoder:
    """A trained hasher that encodes new images, its backbone and preprocessing with it.

    Args:
        path: a folder that `Encoder.save` wrote, or, with `cell`, a folder of results.
        cell: METHOD:BITS:SEED such as "dch:48:0", or the beginning of a key.

    Raises:
        InputError: if there is none, or it is damaged.

    Example:
        >>> import hashbench, numpy as np, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = hashbench.run("lsh", 8, "digits", results=folder, workers=0, progress=False)
        ...     codes = hashbench.load(folder, "lsh:8:0").encode(np.zeros((2, 8, 8, 3), np.uint8))
        >>> len(codes), codes.bits
        (2, 8)
    """
    from hashbench.encoder.folder import load as load_folder

    path = typed(path)
    if cell is None and (path / "records").is_dir():
        raise InputError(
            f"{shown(str(path), 200)} holds results and no encoder of its own: name a cell, as in "
            f'load({shown(str(path), 200)!r}, "dch:48:0")'
        )
    return load_folder(path) if cell is None else open_results(path).hasher(cell)


def _files(paths: Path | str | Iterable[Path | str]) -> tuple[Path, ...]:
    """The files that are named, as the disk spells them."""
    return (typed(paths),) if isinstance(paths, (str, Path)) else tuple(map(typed, paths))


def _data_sets(names: Names) -> tuple[str, ...]:
    """The data sets that are named; of a list each name is one, commas and all."""
    from hashbench.data import dataset_names

    text = _text("datasets", names)
    return dataset_names(list(map(str, names)) if isinstance(names, (list, tuple)) else text)


def _some(what: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of methods or data sets, of which a run has one at least."""
    if not names:
        example = {"method": "dch", "data set": "cifar10"}[what]
        raise InputError(f"there is no {what} to run: name at least one, such as {example}")
    return names


def _text(what: str, value: Names | Numbers, *, alone: bool = False) -> str:
    """Names or numbers as the command line writes them; `what` is the argument's name."""
    if isinstance(value, (str, Path)) or hasattr(value, "main_metric"):  # a convention
        return str(value)
    number = hasattr(value, "__index__") and getattr(value, "ndim", 0) == 0
    if number and not isinstance(value, bool):
        return str(index(value))  # type: ignore[arg-type]
    try:
        pieces = [str(piece) for piece in value]  # type: ignore[union-attr]
    except TypeError:
        raise InputError(
            f"{what}={shown(value, 40)} is neither a name or a whole number nor a list of such"
        ) from None
    # "7," is the list of 7 alone, where "7" may mean a number of something.
    return ",".join(pieces) + "," * (alone and len(pieces) == 1)


def _json(value: Any) -> str:
    import json

    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        raise InputError(
            f"a hyper-parameter must be a number, a word or true/false: {value!r}"
        ) from None
