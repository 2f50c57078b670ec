"""`hashbench export-model`: a trained hash for other runtimes."""

from __future__ import annotations

from pathlib import Path

import click

from hashbench.commands import kinds, options
from hashbench.commands.hashers import HASHER
from hashbench.commands.output import OUT
from hashbench.parsing import in_number

EPILOG = """\b
Examples:
  hashbench export-model dch:48:0 --format onnx
  hashbench export-model my-encoder --format openvino --out model.xml --images photos/
  hashbench export-model my-encoder --format torch --json
  hashbench export-model my-encoder --format folder --out copy
"""


@click.command(
    epilog=EPILOG, help=f"Export a trained hash: pixels in, packed bits out.\n\n{HASHER}"
)
@click.argument("hasher", type=kinds.CELL)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["onnx", "openvino", "torch", "folder"]),
    required=True,
    help="folder: hashbench's own, for hashbench.load and these verbs.",
)
@click.option(
    "--out",
    type=OUT,
    default=None,
    metavar="FILE",
    help="Where to [default: METHOD-BITS.onnx, .xml, .pt2 or METHOD-BITS].",
)
@click.option(
    "--images",
    type=kinds.PATH,
    default=None,
    metavar="DIR|LIST",
    help="Pictures to check the model on [default: made-up ones].",
)
@options.results
@options.plugins
@options.as_json
def command(
    hasher: str,
    file_format: str,
    out: Path | None,
    images: Path | None,
    results: Path,
    plugins: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Export a trained hash; it is run again by its own runtime and must give the same codes.

    A description of input and output is written beside it, as FILE.json.
    """
    import json
    from dataclasses import asdict

    from hashbench.commands.hashers import open_encoder, open_pictures
    from hashbench.registries import load_plugins

    load_plugins(plugins)
    encoder = open_encoder(hasher, results)
    name = f"{encoder.hasher.name}-{encoder.bits}"
    if file_format == "folder":
        where = encoder.save(out or Path(name))
        click.echo(json.dumps({"out": str(where)}) if as_json else f"an encoder's folder: {where}")
        return
    from hashbench.encoder.exports import ENDINGS, NEAR, export
    from hashbench.encoder.model import describe
    from hashbench.errors import InputError, shown
    from hashbench.files import write_named

    path = out or Path(name + ENDINGS[file_format])
    found = export(encoder, file_format, path, None if images is None else open_pictures(images))
    description = path.with_name(path.name + ".json")
    text = json.dumps(describe(encoder), indent=1) + "\n"
    try:
        write_named(description, lambda stream: stream.write(text.encode()))
    except OSError as error:
        raise InputError(
            f"cannot write {description}: {shown(error)}; choose another --out"
        ) from error
    if as_json:
        click.echo(json.dumps({"out": str(path), "checked": asdict(found)}, indent=1))
        return
    click.echo(
        f"{path} gives the codes of {hasher} on "
        f"{in_number(found.pictures, 'picture', 'pictures')}: 0 of {found.bits} bits "
        f"differ, {found.near} lie within {NEAR:g} of zero and were not compared; "
        f"{description.name} says how to call it"
    )
