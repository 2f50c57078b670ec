"""The Python front door: run methods, open results, take a hasher home."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hashbench import arguments
from hashbench.errors import InputError, shown, unknown
from hashbench.parsing import parse_duration, parse_names, parse_numbers, parse_seeds, parse_size
from hashbench.runtime import DEFAULT_RESULTS

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
    shown_as_it_goes = arguments.flag("progress", progress)
    return run_job(job(methods, bits, datasets, **options), progress=shown_as_it_goes)


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

    here = arguments.word("executor", executor) == "local"
    device = arguments.word("device", device) or "auto"
    devices.check(device, here=here)
    files = arguments.paths("plugins", plugins)
    load_plugins(files)
    registry("executors").entry(executor)  # what is not there is known before any work
    if not isinstance(train, str) or train not in MODES:
        raise unknown("training mode", shown(train), MODES)
    if unwanted := set(parse_names(arguments.listed("discard", discard))) - {"hashers"}:
        raise unknown("kind of file to discard", sorted(unwanted)[0], ["hashers"])
    root = default_data_root() if data_root is None else arguments.path("data_root", data_root)
    place = None if params is None else arguments.path("params", params)
    names = _some("method", parse_names(arguments.listed("methods", methods)))
    asked = tuple(registry("methods").names()) if names == ("all",) else names
    flags = {
        "allow_missing": allow_missing,
        "allow_overlap": allow_overlap,
        "allow_unlabelled": allow_unlabelled,
        "allow_duplicates": allow_duplicates,
        "mirrored": mirrored,
    }
    allowed: dict[str, Any] = {name: arguments.flag(name, value) for name, value in flags.items()}
    if not (distractors is None or (isinstance(distractors, str) and not distractors)):
        allowed["distractors"] = str(arguments.path("distractors", distractors).resolve())
    request = Request(
        methods=with_floors(asked) if arguments.flag("floors", floors) else asked,
        bits=parse_numbers(arguments.listed("bits", bits), "--bits", low=1, high=1024),
        seeds=parse_seeds(arguments.listed("seeds", seeds, alone=True)),
        datasets=default_datasets(root)
        if datasets is None
        else _some("data set", _data_sets(datasets)),
        protocol=arguments.word("protocol", protocol),
        split_seeds=parse_seeds(f"{arguments.listed('split_seed', split_seed)},", "--split-seed")
        if split_seeds is None
        else parse_seeds(arguments.listed("split_seeds", split_seeds, alone=True), "--split-seeds"),
        backbone=arguments.word("backbone", backbone),
        mode=train,
        settings=settings_by_method(arguments.settings(settings), arguments.word("head", head)),
        params={} if place is None else read_params(place),
        params_file="" if place is None else place.name,
        shipped=not arguments.flag("untuned", untuned),
        options={name: given for name, given in allowed.items() if given},
    )
    if workers is not None and not arguments.is_whole(workers):
        raise InputError(f"workers must be a whole number or None, got {shown(workers, 40)}")
    limits = Limits(
        workers=arguments.limit("workers", workers),
        timeout=parse_duration(timeout, "--timeout")
        if isinstance(timeout, str)
        else arguments.limit("timeout", timeout),
        memory=parse_size(memory, "--memory")
        if isinstance(memory, str)
        else arguments.limit("memory", memory),
    )
    shared = Settings(
        store=arguments.path("results", results),
        data_root=root,
        conventions=tuple(
            map(str, Convention.parse_list(arguments.listed("conventions", conventions)))
        ),
        keep_relaxed=arguments.flag("keep_relaxed", keep_relaxed),
        keep_hashers="hashers" not in parse_names(arguments.listed("discard", discard)),
        lookup=arguments.flag("lookup", lookup),
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

    load_plugins(arguments.paths("plugins", plugins))
    found = Results(arguments.path("folder", folder))
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

    path = arguments.path("path", path)
    if cell is None and (path / "records").is_dir():
        raise InputError(
            f"{shown(str(path), 200)} holds results and no encoder of its own: name a cell, as in "
            f'load({shown(str(path), 200)!r}, "dch:48:0")'
        )
    return load_folder(path) if cell is None else open_results(path).hasher(cell)


def _data_sets(names: Names) -> tuple[str, ...]:
    """The data sets that are named; of a list each name is one, commas and all."""
    from hashbench.data import dataset_names

    text = arguments.listed("datasets", names)
    return dataset_names(list(map(str, names)) if isinstance(names, (list, tuple)) else text)


def _some(what: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of methods or data sets, of which a run has one at least."""
    if not names:
        example = {"method": "dch", "data set": "cifar10"}[what]
        raise InputError(f"there is no {what} to run: name at least one, such as {example}")
    return names
