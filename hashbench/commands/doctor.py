"""`hashbench doctor`: the whole installation in one go."""

from __future__ import annotations

from pathlib import Path

import click

from hashbench.commands import options

EPILOG = """\b
Examples:
  hashbench doctor
  hashbench doctor --deep --json
"""

MARKS = {"ok": "ok     ", "note": "note   ", "fail": "FAILED "}


@click.command(epilog=EPILOG)
@click.option("--deep", is_flag=True, help="Read every cached table against its checksums.")
@options.data_root
@options.results
@options.as_json
def command(deep: bool, data_root: Path | None, results: Path, as_json: bool) -> None:
    """Check data, weights, cache, engines and versions, and say what to do about each.

    Of a folder of results, if there is one, it says what takes how much room.

    Exits with 1 if something that a run needs is broken; what is merely absent is a note.
    """
    import dataclasses
    import json

    from hashbench.backbones.checks import Finding, all_checks
    from hashbench.data import default_data_root
    from hashbench.store.room import in_words, room

    checks = all_checks(data_root or default_data_root(), deep=deep)
    if (results / "records").is_dir():
        sizes = room(results)
        parts = ", ".join(f"{kind} {in_words(size)}" for kind, size in sizes.items())
        total = in_words(sum(sizes.values()))
        checks.append(Finding(f"results {results}", "ok", f"{total}: {parts}" if parts else total))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(check) for check in checks], indent=1))
    else:
        for check in checks:
            remedy = f"\n         {check.remedy}" if check.remedy else ""
            click.echo(f"{MARKS[check.state]} {check.what}: {check.found}{remedy}")
    if any(check.state == "fail" for check in checks):
        click.get_current_context().exit(1)
