"""`hashbench reconcile`: under which convention would these codes score what was claimed?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashbench.commands import kinds, options
from hashbench.commands.output import OUT, printed_to
from hashbench.commands.score_codes import described, print_table

if TYPE_CHECKING:
    from hashbench.evaluation.reconcile import Account, Reconciliation

EPILOG = """\b
Examples:
  hashbench reconcile --codes mine.npz --claimed .827
  hashbench reconcile --codes mine.npz --claimed 82.7% --metric map@h2
  hashbench reconcile --codes results/ --claimed .7352 --metric map@5000 --json
"""

#: More accounts than this are counted, not shown.
_SHOWN = 12


@click.command(epilog=EPILOG)
@click.option(
    "--codes",
    type=kinds.PATH,
    required=True,
    metavar="FILE",
    help="Codes and labels, as `hashbench score --codes` takes them.",
)
@click.option(
    "--claimed", required=True, metavar="NUMBER", help="The number, such as .827 or 82.7%."
)
@click.option(
    "--metric",
    type=kinds.METRIC,
    default=None,
    metavar="NAME",
    help="What it is said to be: map@h2, map@5000, p@h2; map for a list of whatever length "
    "[default: any mean average precision].",
)
@click.option(
    "--names",
    default=None,
    metavar="THEIRS=OURS,...",
    help="What an array of --codes stands for, such as q_img=query_codes.",
)
@click.option(
    "--out",
    type=OUT,
    default=None,
    metavar="FILE",
    help="Where to write; - or nothing is stdout.",
)
@options.as_json
def command(
    codes: Path,
    claimed: str,
    metric: str | None,
    names: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Find the conventions under which codes score what was claimed.

    The codes are scored under every named convention and every choice of order of
    ties, empty balls, balls without a hit, denominator, cut-off and sign of zero.
    Shown are those that give the claimed number as far as its digits go, the bounds
    that ties leave, and the nearest miss.
    """
    import json

    from hashbench.evaluation.foreign import parse_names, read_codes
    from hashbench.evaluation.reconcile import Claim, reconcile

    claim = Claim.parse(claimed)
    inputs = read_codes(codes, parse_names(names))
    found = reconcile(*inputs, claim, metric)
    with printed_to(out):
        if as_json:
            click.echo(
                json.dumps({"codes": str(codes), "metric": metric, **_body(found)}, indent=1)
            )
            return
        click.echo(described(inputs))
        _print(found, claimed)


def _print(found: Reconciliation, claimed: str) -> None:
    tried = f"{found.tried} conventions tried"
    if found.left_out:
        tried += f", {found.left_out} more need real-valued outputs"
    if found.matches:
        click.echo(f"{tried}; {claimed} is")
        _table(found.matches)
    else:
        click.echo(f"{tried}; none gives {claimed}.")
    if found.possible:
        click.echo(f"\nWithin reach of {claimed} by the order of ties alone:")
        _table(found.possible)
    if found.nearest is not None:
        sign = found.nearest.value - found.claim.value
        click.echo(
            f"\nNearest miss: {found.nearest.metric} under {found.nearest.convention}, "
            f"{found.nearest.value:.4f} ({sign:+.4f})."
        )


def _table(accounts: tuple[Account, ...]) -> None:
    rows = [
        [
            item.metric,
            f"{item.value:.4f}",
            f"[{item.worst:.4f}, {item.best:.4f}]",
            str(item.convention) + (f" and {len(item.same)} alike" if item.same else ""),
        ]
        for item in accounts[:_SHOWN]
    ]
    print_table(["metric", "value", "with its ties", "convention"], rows)
    if len(accounts) > _SHOWN:
        click.echo(f"and {len(accounts) - _SHOWN} more: --json has them all")


def _body(found: Reconciliation) -> dict[str, Any]:
    def account(item: Account) -> dict[str, Any]:
        return {
            "metric": item.metric,
            "value": item.value,
            "worst": item.worst,
            "best": item.best,
            "convention": str(item.convention),
            "same": [str(other) for other in item.same],
        }

    return {
        "claimed": found.claim.value,
        "interval": [found.claim.value - found.claim.half, found.claim.value + found.claim.half],
        "tried": found.tried,
        "left_out": found.left_out,
        "matches": [account(item) for item in found.matches],
        "possible": [account(item) for item in found.possible],
        "nearest": None if found.nearest is None else account(found.nearest),
    }
