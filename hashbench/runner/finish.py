"""Finishing a trained cell: its scores, and what else was asked for, from what is stored."""

from __future__ import annotations

from hashbench import runtime
from hashbench.codes import Codes
from hashbench.errors import InputError, command
from hashbench.runner.settings import Progress, Settings, Task
from hashbench.runner.train import check_code, encode, split_of
from hashbench.saved import read_hasher
from hashbench.store.judge import judge, missing_scores
from hashbench.store.record import Record
from hashbench.store.scorefiles import get_lookup, put_lookup
from hashbench.store.store import Store


def lacks(store: Store, record: Record, settings: Settings) -> list[str]:
    """What a trained cell lacks of what a run asks for: nothing, if it need not be looked at."""
    found = [str(item) for item in missing_scores(store, record, settings.parsed)]
    if settings.lookup and not get_lookup(store, record):
        found.append("lookup")
    if settings.keep_relaxed and record.relaxed and not store.has_relaxed(record):
        found.append("relaxed")
    return found


def can_be_scored(record: Record, settings: Settings) -> bool:
    """Whether a trained cell can have scores under any convention that a run asks for."""
    return any(record.relaxed or not item.needs_relaxed for item in settings.parsed)


def needs_encoding(store: Store, record: Record, settings: Settings) -> bool:
    """Whether what lacks can be had only by encoding again, with the stored hasher."""
    if store.has_relaxed(record) or not record.relaxed:
        return False
    wanted = any(item.needs_relaxed for item in missing_scores(store, record, settings.parsed))
    return wanted or settings.keep_relaxed


def finish(
    task: Task,
    record: Record,
    store: Store,
    settings: Settings,
    progress: Progress,
    codes: tuple[Codes, Codes] | None = None,
) -> None:
    """Have every score and file of a trained cell that the run asks for.

    Args:
        task: the cell.
        record: its record.
        store: where it is.
        settings: what the run asks for.
        progress: told where a long step stands.
        codes: its codes with real-valued outputs, where they are at hand.

    Raises:
        InputError: if codes or labels are damaged, or the stored hasher cannot
            give the real-valued outputs that are asked for.
        StoreError: if the store cannot be written to.
    """
    if codes is None and needs_encoding(store, record, settings):
        codes = encode_again(task, record, store, settings, progress)
    if settings.keep_relaxed and not store.has_relaxed(record):
        store.put_relaxed(record, codes or store.open_codes(record))
    with runtime.use(runtime.Runtime(settings.device, settings.threads)):
        judge(store, record, settings.parsed, codes)
        if settings.lookup and not get_lookup(store, record):
            from hashbench.evaluation.lookup import measure_lookup

            query, database = codes or store.open_codes(record)
            put_lookup(store, record, measure_lookup(query, database))


def encode_again(
    task: Task, record: Record, store: Store, settings: Settings, progress: Progress
) -> tuple[Codes, Codes]:
    """A record's codes with real-valued outputs, from its stored hasher.

    Raises:
        InputError: if no hasher was kept, or it gives other codes on this machine.
    """
    name = f"{task.cell.method}:{task.cell.bits}:{task.cell.seed}"
    forget = command("forget", record.key, "--results", store.root)
    train_again = f"`{forget}` and the same run train it again"
    digest = record.files.get("hasher")
    if digest is None:
        raise InputError(
            f"{name} was kept without its hasher, so that its real-valued outputs are gone: "
            f"{train_again}"
        )
    check_code(task.cell)
    hasher = read_hasher(store.path("hasher", record.key), digest)
    with runtime.use(runtime.Runtime(settings.device, settings.threads, progress)):
        split = split_of(task, settings, progress)
        codes = encode(hasher, split.query, task), encode(hasher, split.database, task)
    stored = store.open_codes(record, relaxed=False)
    if any(
        ours.packed.tobytes() != kept.packed.tobytes()
        for ours, kept in zip(codes, stored, strict=True)
    ):
        raise InputError(
            f"the stored hasher of {name} gives other codes on this machine than it gave where "
            f"it was trained, so its real-valued outputs would be of other codes: {train_again}"
        )
    return codes
