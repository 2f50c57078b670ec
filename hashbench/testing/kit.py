"""The conformance kit: named checks of a hashing method, for pytest, Python and the shell."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hashbench import runtime
from hashbench.endings import no_sudden_end
from hashbench.errors import cause, unless_stopped
from hashbench.hasher import Hasher
from hashbench.kept import printed_aside
from hashbench.plugins import blamed
from hashbench.switches import kept_switches
from hashbench.testing import behaviour, contract, dependence, edges, training
from hashbench.testing.subject import CheckError, Subject

_CHECKS: tuple[Callable[[Subject], None], ...] = (
    *contract.CHECKS,
    *behaviour.CHECKS,
    *dependence.CHECKS,
    *training.CHECKS,
    *edges.CHECKS,
)


@dataclass(frozen=True)
class Check:
    """One named check of one class; call it to run it.

    Attributes:
        subject: the class under test, shared by the checks of one `checks_of`.
        function: what is run.
    """

    subject: Subject
    function: Callable[[Subject], None]

    @property
    def name(self) -> str:
        """A name to select it by, such as "batches-equal-whole"."""
        return self.function.__name__.replace("_", "-")

    @property
    def summary(self) -> str:
        """What must hold, in one line."""
        return (inspect.getdoc(self.function) or "").splitlines()[0]

    def __call__(self) -> None:
        """Run it on the CPU with one thread.

        Raises:
            CheckError: saying what is wrong and what to do about it.
        """
        try:
            where = runtime.Runtime(device="cpu", threads=1)
            with kept_switches(), printed_aside(), no_sudden_end(), runtime.use(where):
                self.function(self.subject)
        except CheckError:
            raise
        except BaseException as error:  # a stranger's method may raise anything
            unless_stopped(error)
            raise CheckError(
                f"{cause(error)} (raised in {blamed(error) or _place(error)}); this must work: "
                f"{self.summary[:1].lower()}{self.summary[1:]}"
            ) from error

    def __str__(self) -> str:
        return self.name


def checks_of(cls: type[Hasher]) -> list[Check]:
    """Every check of a hasher class; they may be run in any order."""
    subject = Subject(cls)
    return [Check(subject, function) for function in _CHECKS]


def check_hasher(cls: type[Hasher]) -> None:
    """Run every check of a hasher class.

    Raises:
        CheckError: naming each check that failed and what to do about it.
    """
    failures = []
    for check in checks_of(cls):
        try:
            check()
        except CheckError as error:
            failures.append(f"{check.name}: {error}")
    if failures:
        raise CheckError(
            f"{cls.__name__} fails {len(failures)} of {len(_CHECKS)} checks\n" + "\n".join(failures)
        )


def parametrize_with_checks(classes: Iterable[type[Hasher]]) -> Any:
    """A pytest decorator: a test with the argument `check`, once for each class and check.

    Example::

        @parametrize_with_checks([MyHash])
        def test_my_hash_keeps_the_contract(check):
            check()
    """
    import pytest

    return pytest.mark.parametrize(
        "check",
        [
            pytest.param(check, id=f"{getattr(cls, 'name', cls.__name__)}-{check.name}")
            for cls in classes
            for check in checks_of(cls)
        ],
    )


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
