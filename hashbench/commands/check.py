"""`hashbench check`: does a method keep the contract?"""

from __future__ import annotations

from pathlib import Path

import click

from hashbench.commands import kinds, options

EPILOG = """\b
Examples:
  hashbench check my_method.py
  hashbench check my_method.py my-method
  hashbench check dch --json
"""


@click.command(epilog=EPILOG)
@click.argument("target", type=kinds.METHOD, metavar="FILE|METHOD")
@click.argument("name", required=False)
@options.as_json
def command(target: str, name: str | None, as_json: bool) -> int:
    """Run the conformance kit on a method: a Python FILE of yours, or an installed METHOD.

    A FILE with several methods has all of them checked, or the one called NAME.
    Each failed check says what to do. Exit code 1 when a check fails.
    """
    import json

    from hashbench.errors import InputError, shown, unknown
    from hashbench.registries import load_plugins, methods
    from hashbench.testing import CheckError, checks_of

    names = [target]
    if Path(target).is_dir():
        raise InputError(f"{shown(target)} is a folder: name a Python file with a method of yours")
    if target.endswith(".py") or Path(target).is_file():
        load_plugins([Path(target)])
        origin = str(Path(target).resolve())
        registry = methods()
        names = [key for key in registry.names() if registry.entry(key).origin == origin]
    elif target not in {*methods().names(), *(broken.name for broken in methods().broken)}:
        own = "one of your own is named by its file, as in my_hash.py"
        raise unknown("method", target, methods().names(), own=own)
    if name is not None:
        if name not in names:
            raise unknown(f"method in {target}", name, names)
        names = [name]
    results: list[dict[str, str | bool]] = []
    for method in names:
        for check in checks_of(methods().get(method)):
            advice = ""
            try:
                check()
            except CheckError as error:
                advice = str(error)
            results.append(
                {"method": method, "check": check.name, "passed": not advice, "advice": advice}
            )
            if not as_json:
                mark = "FAIL" if advice else "pass"
                click.echo(f"{mark}  {method}  {check.name}: {advice or check.summary}")
    failed = sum(not result["passed"] for result in results)
    if as_json:
        click.echo(json.dumps({"failed": failed, "checks": results}, indent=1))
    else:
        click.echo(_verdict(target, names, len(results), failed))
    return int(failed > 0)


def _verdict(target: str, names: list[str], total: int, failed: int) -> str:
    from hashbench.errors import command as run_line

    if failed:
        return f"\n{failed} of {total} checks failed: each line above says what to do."
    plugin = ("--plugin", target) if names != [target] else ()
    run = run_line("run", "--methods", ",".join(names), *plugin, "--datasets", "digits")
    return f"\nAll {total} checks passed. Next: {run}"
