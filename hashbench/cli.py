"""The front door: `hashbench VERB`. Each verb is a file in `hashbench/commands`."""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
import threading
import warnings

import click

from hashbench import __version__
from hashbench.endings import end_for_good, end_now, no_sudden_end, only_pressed
from hashbench.errors import InputError, cause, scarcity, unknown
from hashbench.parsing import plain
from hashbench.plugins import blamed

#: What one wants -> the verbs that do it, each a module in hashbench.commands, with one line.
GROUPS = {
    "Compare": {
        "run": "Compare methods: train, encode, score and show the table.",
        "compare": "Test whether differences between methods are real.",
        "tune": "Search a method's hyper-parameters on a validation split.",
    },
    "Look": {
        "export": "Write the tables as CSV, LaTeX or Markdown.",
        "plot": "Draw the figures of a paper from stored records.",
        "report": "Write results as one page to be shown around.",
        "explain": "Print everything a cell's scores depend on.",
        "diff": "Say what differs between two runs or two cells.",
    },
    "Score": {
        "score": "Score stored or foreign codes under any conventions.",
        "reconcile": "Find the conventions under which codes score a claimed number.",
    },
    "Take home": {
        "encode": "Encode pictures with a trained hash.",
        "index": "Index pictures by their codes, to be searched.",
        "search": "Print what is near a picture in an index.",
        "export-model": "Export a trained hash: pixels in, packed bits out.",
        "serve": "Show on a local page what hashes retrieve.",
    },
    "Board": {
        "pack": "Pack cells as entries of a board: codes, and all that is known of them.",
        "verify": "Verify entries: draw their split again, recompute every score.",
        "board": "Write a site of entries, for whatever serves files.",
    },
    "Data": {
        "datasets": "List the data sets and whether they are prepared here.",
        "data": "Look at, verify, prepare and import data sets.",
    },
    "Extend": {
        "methods": "List the hashing methods.",
        "parts": "List the parts of every kind: metrics, conventions, backbones, ...",
        "new-method": "Write a commented template for a method of your own.",
        "check": "Check that a method keeps the contract.",
    },
    "Mend": {
        "forget": "Drop results, by name or because newer ones took their place.",
        "doctor": "Check the installation and say how to mend it.",
    },
}

#: verb -> one line for --help
VERBS = {verb: line for group in GROUPS.values() for verb, line in group.items()}

EXAMPLES = """\b
Examples:
  hashbench run --methods dch,hashnet --bits 16,32,48,64
  hashbench export --format latex --out table.tex
  hashbench methods
  hashbench datasets
"""


class _Verbs(click.Group):
    """A group that imports a verb's module only when that verb is called."""

    def invoke(self, ctx: click.Context) -> object:
        with only_pressed():  # further out click takes any KeyboardInterrupt for Ctrl-C
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"hashbench.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        command.name = cmd_name  # what tools that walk the commands call it
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            raise unknown("command", args[0], VERBS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(map(len, VERBS))
        for heading, verbs in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{verb:<{widest}}", line) for verb, line in verbs.items()])


@click.group(
    cls=_Verbs,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name="hashbench")
@click.pass_context
def group(context: click.Context) -> None:
    """The referee of learning-to-hash: same data, same protocol, same evaluator."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


#: The variable in which a shell asks for completions.
COMPLETES = "_HASHBENCH_COMPLETE"
#: What Ctrl-C ends with.
STOPPED = "stopped; what was finished is kept, run the same command again to go on"


def main(args: list[str] | None = None) -> None:
    """Run the command line; bad input is one sentence on stderr and exit code 2."""
    warnings.showwarning = _say_warning
    if isinstance(sys.stdout, io.TextIOWrapper):  # as stderr does where letters are missing
        sys.stdout.reconfigure(errors="backslashreplace")
    if COMPLETES in os.environ:
        from hashbench.commands import shells

        shells.add()
    interrupt = _Interrupt()
    try:
        with no_sudden_end(threads=True):
            code = group.main(args=args, prog_name="hashbench", standalone_mode=False)
    except InputError as error:
        _fail(str(error), 2)
    except click.ClickException as error:
        from hashbench.commands import slips

        _fail(slips.said(error), 2)
    except (click.Abort, KeyboardInterrupt) as error:
        if isinstance(error.__cause__, EOFError) and not interrupt.pressed:
            raise error.__cause__ from None  # click takes any for the end of what is typed
        _fail(STOPPED, 130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except Exception as error:
        if interrupt.pressed:
            _fail(STOPPED, 130)  # in the middle of an import it may come out as any error
        if place := blamed(error):
            _fail(f"the plugin {plain(place)} fails: {cause(error)}", 2)
        if (sentence := scarcity(error)) is None:
            raise
        _fail(sentence, 2)
    except BaseException as error:  # nothing of ours leaves so: a stranger's part may
        if COMPLETES in os.environ and isinstance(error, SystemExit):
            raise  # how click ends once it has completed
        if isinstance(error, SystemExit) and _raised_by(error).startswith("click."):
            sys.exit(141)  # how click ends where nobody reads any more, as after `| head`
        whose = f"the plugin {plain(place)}" if (place := blamed(error)) else "a plugin's code"
        _fail(f"{whose} ended this command ({cause(error)})", 2)
    else:
        end_for_good(code if isinstance(code, int) else 0)
    finally:
        interrupt.restore()


class _Interrupt:
    """Ctrl-C stops at once what is going on, and a second one everything.

    A shell starts what a script puts in the background with Ctrl-C ignored: a run heeds it there
    too, for whoever sends it that signal means to stop it.
    """

    def __init__(self) -> None:
        self.pressed = False
        self.before = None
        if threading.current_thread() is threading.main_thread():  # others cannot set a handler
            self.before = signal.signal(signal.SIGINT, self._press)

    def restore(self) -> None:
        """Put the former handler back, unless Ctrl-C has been pressed: then all ends soon."""
        if self.before is not None and not self.pressed:
            signal.signal(signal.SIGINT, self.before)

    def _press(self, *_: object) -> None:
        if self.pressed:
            os.write(2, f"hashbench: {STOPPED}\n".encode())
            end_now(130)
        self.pressed = True
        raise KeyboardInterrupt


def _raised_by(error: BaseException) -> str:
    """The name of the module that raised it."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return str(at.tb_frame.f_globals.get("__name__", "")) if at else ""


def _say_warning(message: Warning | str, *_: object, **__: object) -> None:
    click.echo(f"hashbench: {message}", err=True)


def _fail(sentence: str, code: int) -> None:
    click.echo(f"hashbench: {sentence}", err=True)
    sys.exit(code)
