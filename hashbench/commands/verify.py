"""`hashbench verify`: are entries what they say?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashbench.commands import kinds, options
from hashbench.parsing import in_number

if TYPE_CHECKING:
    from hashbench.bundles.verify import Verdict

EPILOG = """\b
Examples:
  hashbench verify board
  hashbench verify board/cifar10-dch-48-0-3f2ab1c0
  hashbench verify board --data-root /datasets --fresh-split 20261126
"""


@click.command(epilog=EPILOG)
@click.argument("folders", nargs=-1, required=True, metavar="BUNDLES...", type=kinds.PATH)
@options.data_root
@click.option(
    "--fresh-split",
    type=click.IntRange(0),
    default=None,
    metavar="SEED",
    help="Draw queries anew, of images that were not trained on, and put them to the hashers "
    "that come along; needs the images.",
)
@options.plugins
@options.as_json
def command(
    folders: tuple[Path, ...],
    data_root: Path | None,
    fresh_split: int | None,
    plugins: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Verify entries of a board: BUNDLES are folders of entries, or entries.

    Files and digests are checked, the split is drawn again from its protocol, and every score
    is recomputed. One line an entry; exit code 1 if any is not as it says, needs a look, or
    cannot be verified here.
    """
    import json

    from hashbench.bundles import entries
    from hashbench.bundles.folder import ENTRY
    from hashbench.bundles.splits import Splits
    from hashbench.bundles.verify import Verifier
    from hashbench.data import default_data_root
    from hashbench.errors import InputError, shown
    from hashbench.registries import load_plugins

    load_plugins(plugins)
    # A shell's board/*/entry.json means the entries.
    folders = tuple(one.parent if one.name == ENTRY and one.is_file() else one for one in folders)
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"there is no folder {shown(str(folder), 200)}: name one of entries")
    # A link that the user names is followed, and none below it.
    folders = tuple(folder.resolve() if folder.is_symlink() else folder for folder in folders)
    found = list(dict.fromkeys(entry for folder in folders for entry in entries(folder)))
    if not found:
        raise InputError(
            f"there is no entry in {', '.join(shown(str(folder), 100) for folder in folders)}: "
            "`hashbench pack` writes some"
        )
    boards = dict.fromkeys([*folders, *(folder.parent for folder in found)])
    root = data_root or default_data_root()
    verifier = Verifier(Splits(root, list(boards)), fresh_split)
    verdicts = []
    for folder in found:
        verdict = verifier.verify(folder)
        verdicts.append(verdict)
        if not as_json:
            click.echo(_line(verdict))
    good = sum(verdict.ok for verdict in verdicts)
    if as_json:
        body = {"entries": len(verdicts), "ok": good, "verdicts": list(map(_body, verdicts))}
        click.echo(json.dumps(body, indent=1))
    else:
        rest = "" if good == len(verdicts) else f", {len(verdicts) - good} not"
        click.echo(f"\n{in_number(len(verdicts), 'entry', 'entries')}: {good} verified{rest}")
    return int(good < len(verdicts))


def _word(verdict: Verdict) -> str:
    if verdict.problems:
        return "FAIL"
    if verdict.suspicions:
        return "LOOK"
    return "?" if verdict.unverified else "ok"


def _line(verdict: Verdict) -> str:
    from hashbench.parsing import plain

    said = [*verdict.problems, *verdict.suspicions]
    if verdict.unverified:
        said.append(f"scores not recomputed: {verdict.unverified}")
    if not said:
        house = (verdict.scores or {}).get("house")
        first = [f"map@h2 {house['map@h2']:.3f}"] if house and "map@h2" in house else []
        said = [*first, f"{in_number(verdict.claims, 'score', 'scores')} recomputed"]
    if verdict.given:
        said.append("labels as the board's file of its split has them, not drawn here")
    if verdict.fresh is not None:
        said.append(str(verdict.fresh))
    return plain(f"{_word(verdict):<4}  {verdict.folder.name}: {'; '.join(said)}")


def _body(verdict: Verdict) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "folder": str(verdict.folder),
        "entry": verdict.bundle.name if verdict.bundle else None,
        "verdict": _word(verdict),
        "claims": verdict.claims,
        "problems": verdict.problems,
        "suspicions": verdict.suspicions,
        "unverified": verdict.unverified,
        "split": "given by the board" if verdict.given else "drawn or pinned",
        "scores": {name: item.to_dict() for name, item in (verdict.scores or {}).items()},
        "fresh": None if verdict.fresh is None else asdict(verdict.fresh),
    }
