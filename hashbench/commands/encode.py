"""`hashbench encode`: codes of pictures."""

from __future__ import annotations

from pathlib import Path

import click

from hashbench.commands import kinds, options
from hashbench.commands.hashers import HASHER
from hashbench.commands.output import OUT
from hashbench.parsing import in_number

EPILOG = """\b
Examples:
  hashbench encode dch:48:0 --images photos/
  hashbench encode my-encoder --images photos/
  hashbench encode my-encoder --images cat.jpg --out cat.npz
  hashbench encode my-encoder --images list.txt --json
"""


@click.command(epilog=EPILOG, help=f"Encode pictures with a trained hash.\n\n{HASHER}")
@click.argument("hasher", type=kinds.CELL)
@click.option(
    "--images",
    required=True,
    type=kinds.PATH,
    metavar="DIR|LIST|IMAGE",
    help="A folder, a text file of one path a line, or an image.",
)
@click.option(
    "--out",
    type=OUT,
    default=Path("codes.npz"),
    show_default=True,
    metavar="FILE",
    help="Where to write codes, bits and ids.",
)
@options.results
@options.plugins
@options.as_json
@click.pass_context
def command(
    context: click.Context,
    hasher: str,
    images: Path,
    out: Path,
    results: Path,
    plugins: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Encode pictures with a trained hash; exit code 1 if some of them could not be read."""
    import json

    from hashbench.commands.hashers import encode, open_encoder, root_of, say_unreadable
    from hashbench.encoder.codesfile import write_codes
    from hashbench.registries import load_plugins

    load_plugins(plugins)
    encoder = open_encoder(hasher, results)
    codes, ids, unreadable = encode(encoder, images, quiet=as_json)
    if len(codes):
        write_codes(out, codes, ids, root_of(images), encoder.digest)
    if as_json:
        body = {
            "out": str(out) if len(codes) else None,
            "encoded": len(codes),
            "bits": codes.bits,
            "zeros": codes.zeros,
            "unreadable": unreadable,
        }
        click.echo(json.dumps(body, indent=1))
    elif len(codes):
        click.echo(
            f"{in_number(len(codes), 'picture', 'pictures')}, "
            f"{in_number(codes.bits, 'bit', 'bits')} each: {out}"
        )
    say_unreadable(unreadable, len(codes) + len(unreadable))
    context.exit(1 if unreadable else 0)
