"""One try at a cell: claimed, trained, finished; whatever happens becomes a record."""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Final, Literal

from hashbench.errors import InputError, cause, shown, unless_stopped
from hashbench.kept import printed_aside
from hashbench.registries import methods
from hashbench.runner.environment import environment
from hashbench.runner.faults import Crowded, DeviceLost, is_lost, out_of_gpu_memory
from hashbench.runner.finish import finish, lacks
from hashbench.runner.settings import Progress, Settings, Task
from hashbench.runner.train import checkpoints, facts, now, request, train
from hashbench.store.record import Record, Status
from hashbench.store.store import Store, StoreError
from hashbench.switches import kept_switches

#: How many lines of a log a failed record keeps.
LOG_LINES = 20

#: A try that left a trained cell for a process that has not run a stranger's code.
AGAIN: Final = "again"

Outcome = Record | None | Literal["again"]


def is_foreign(method: str) -> bool:
    """Whether a method is not one of ours: what it leaves changed in its process is unknown."""
    return methods().entry(method).origin != "hashbench"


def is_done(task: Task, store: Store, settings: Settings) -> bool:
    """Whether a cell is trained, its files are whole, and nothing asked for is missing."""
    record = store.get(task.key)
    return store.newer(task.key) if record is None else _is_whole(record, store, settings)


def _is_whole(record: Record, store: Store, settings: Settings) -> bool:
    return record.ok and store.whole(record) and not lacks(store, record, settings)


def attempt(task: Task, settings: Settings, progress: Progress, *, alone: bool = False) -> Outcome:
    """Finish a cell, unless another run does or did.

    Args:
        task: the cell.
        settings: what the run asks for.
        progress: told how far it is.
        alone: whether nothing else runs on its GPU.

    Returns:
        Its record; None while another run has it; AGAIN when a stranger's method has been
        trained and another process should score it.

    Raises:
        StoreError: if the store cannot be written to.
        KeyboardInterrupt: when the user stops the run.
        Crowded: if the memory of a GPU that is shared did not suffice.
        DeviceLost: if the GPU cannot be used by this process any more.
    """
    store = Store(settings.store)
    with store.claim(task.key) as held:
        if not held:
            return None
        record = store.get(task.key)
        if record is not None and not record.ok and _written_since(task, store):
            return record
        codes = None
        if record is None or not record.ok or not store.whole(record):
            try:
                with kept_switches(), _quiet(task):
                    trained = train(task, settings, progress, alone=alone)
                record = trained.save(store, keep_hasher=settings.keep_hashers)
                if is_foreign(task.cell.method):
                    store.put_relaxed(record, trained.codes)
                    store.open_codes(record)  # what another process could not read it trains again
            except StoreError:
                raise
            except BaseException as error:  # a stranger's method may raise anything
                unless_stopped(error)
                _pass_on(error, alone=alone)
                return _put_failed(task, settings, store, error)
            shutil.rmtree(checkpoints(store.root, record.key), ignore_errors=True)
            if is_foreign(task.cell.method):
                return AGAIN
            codes = trained.codes
        store.put_origin(record.key, task.ask.origin)
        try:
            with kept_switches(), _quiet(task):
                finish(task, record, store, settings, progress, codes)
        except StoreError:
            raise
        except BaseException as error:
            unless_stopped(error)
            _pass_on(error, alone=alone)
            return replace(record, reason=_reason(error))  # trained: this run tells what lacks
        if not settings.keep_relaxed and is_foreign(task.cell.method):
            store.drop_relaxed(record)
        return record


def _quiet(task: Task) -> AbstractContextManager[None]:
    """What a stranger's method prints goes to stderr; what is told of ours may go to stdout."""
    return printed_aside() if is_foreign(task.cell.method) else nullcontext()


def _put_failed(task: Task, settings: Settings, store: Store, error: BaseException) -> Record:
    """Store that a cell has failed.

    Raises:
        StoreError: if no record can be written, for want of room or for what the cell has changed.
    """
    try:
        return store.put(failure(task, settings, _status(error), _reason(error), _log(error)))
    except StoreError:
        raise
    except Exception as other:
        raise StoreError(
            f"after {task.cell} ({shown(_reason(error), 200)}) this process can write no record "
            f"({cause(other)}): what was finished is kept, run the others without it"
        ) from other


def give_up(task: Task, settings: Settings, status: Status, reason: str, log: str) -> Record | None:
    """Store that a cell could not be trained, unless another run has or had it.

    Raises:
        StoreError: if the store cannot be written to.
    """
    store = Store(settings.store)
    with store.claim(task.key, timeout=1) as held:
        if not held:
            return None
        record = store.get(task.key)
        if record is not None and record.ok:
            return replace(record, reason=_clean(reason))  # trained: its codes stay
        if record is None or not _written_since(task, store):
            record = store.put(failure(task, settings, status, reason, log))
        return record


def failure(task: Task, settings: Settings, status: Status, reason: str, log: str = "") -> Record:
    """The record of a cell without codes."""
    return Record(
        key=task.key,
        cell=task.cell,
        evidence=task.evidence,
        status=status,
        reason=_clean(reason),
        parts=facts(task),
        request=request(task, settings),
        environment=environment(settings.device),
        finished=now(),
        log=_clean("\n".join(log.splitlines()[-LOG_LINES:])),
        origins=(task.ask.origin,),
    )


def _pass_on(error: BaseException, *, alone: bool) -> None:
    """Raise what concerns the process or its neighbours, and not the cell alone."""
    if not alone and out_of_gpu_memory(error):
        raise Crowded from error
    if is_lost(error):
        raise DeviceLost(_reason(error), _log(error)) from error


def _written_since(task: Task, store: Store) -> bool:
    return store.mark(task.key) not in ("", task.replaces)


def _status(error: BaseException) -> Status:
    memory = isinstance(error, MemoryError) or out_of_gpu_memory(error)
    return "out-of-memory" if memory else "failed"


def _reason(error: BaseException) -> str:
    said = cause(error)
    return said.removeprefix("InputError: ") if isinstance(error, InputError) else said


def _log(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except BaseException as other:  # formatting asks the error for its text
        unless_stopped(other)
        return "".join(traceback.format_tb(error.__traceback__))


def _clean(text: str) -> str:
    """Text that JSON holds and reads back: half of a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def pending(
    tasks: Sequence[Task], store: Store, settings: Settings
) -> tuple[list[Task], dict[str, Record]]:
    """The tasks that are not done, failures among them, and the records of the others, by key.

    What is asked again is noted.
    """
    left, done = [], {}
    for task in tasks:
        record = store.get(task.key)
        if record is None and store.newer(task.key):
            store.put_origin(task.key, task.ask.origin)
        elif record is None or not _is_whole(record, store, settings):
            left.append(_replacing(task, store, record))
        else:
            if task.ask.origin not in record.origins:
                store.put_origin(task.key, task.ask.origin)
                record = store.get(task.key) or record
            done[task.key] = record
    return left, done


def _replacing(task: Task, store: Store, record: Record | None) -> Task:
    trained = record is not None and record.ok and store.whole(record)
    return replace(task, replaces=store.mark(task.key), trained=trained)
