"""Make the published results again, from a data root: python results/remake.py --help.

A folder below results/ that holds sweeps (*.toml, in order of name) is one board. Its sweeps run
into WORK/<board>, where what is done already is not done again; then its tables and figures are
written beside the sweeps, over the old ones, and the entries of its first seed into results/board,
which `hashbench verify results/board` recomputes. Scores are compressed, to a fiftieth:
`pandas.read_csv("results/cifar10-head/scores.csv.xz")` reads them.
"""

from __future__ import annotations

import argparse
import lzma
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

RESULTS = Path(__file__).resolve().parent

HOUSE = {"table-house.md": ["--format", "markdown"]}
RECALL = {"recall.md": ["--format", "markdown", "--metric", "r@h2"]}
TABLES = {
    **HOUSE,
    "table-deephash.md": ["--format", "markdown", "--convention", "deephash"],
    **RECALL,
    "empty-balls.md": ["--format", "markdown", "--metric", "empty@h2"],
    "map.md": ["--format", "markdown", "--metric", "map"],
    "table.tex": ["--format", "latex"],
    "references.bib": ["--format", "bib"],
    "scores.csv": ["--format", "csv"],
}
#: Where the DCH paper has the data.
PUBLISHED = {
    "against-published.md": ["--format", "markdown", "--against", "published"],
    "ablation.md": ["--format", "markdown", "--ablation"],
}
#: Where images have several labels.
GRADED = {
    "ndcg.md": ["--format", "markdown", "--convention", "graded", "--metric", "ndcg@100"],
}
VIEWS = {
    f"{kind}-{view.replace('@', '-at-')}.md": ["--format", "markdown", "--metric", metric]
    for kind, metric, view in [
        *(("map-h2", f"map@h2[{view}]", view) for view in ("seen@seen", "seen@all", "unseen@all")),
        ("map-h2", "map@h2[unseen@unseen]", "unseen@unseen"),
        ("map", "map[unseen@unseen]", "unseen@unseen"),
    ]
}
#: The tables of each board: file name, options of `hashbench export`.
TABLES_OF = {
    "cifar10-head": {**TABLES, **PUBLISHED},
    "cifar10-tuned": TABLES,
    "cifar10-draws": {**HOUSE, **RECALL},
    "cifar10-unseen": VIEWS,
    "cifar10-mlp": TABLES,
    "cifar10-partial": TABLES,
    "cifar10-full": {**HOUSE, **RECALL, "table-deephash.md": TABLES["table-deephash.md"]},
    "cifar10-mirrored": {**HOUSE, **RECALL},
    "voc2007-head": {**TABLES, **GRADED},
}
#: Of the board with the MLP head: what was published first, and what takes least room. Entries
#: of all methods would take 18 MB.
MLP = (
    "lsh,sign,class-codes,bre,itq-cca,sdh,cnnh,dnnh,dhn,hashnet,dch,greedyhash,csq,orthohash,"
    "dch-released,dch-e,dch-q,dsh,dpn,dch-c,hashnet-hswd,idhn"
)
#: Boards whose entries are published: those of all methods, unless some are named.
PACKED: dict[str, Sequence[str]] = {
    "cifar10-head": [],
    "cifar10-tuned": [],
    "cifar10-mlp": ["--methods", MLP],
    "cifar10-partial": [],
    "cifar10-full": [],
    "voc2007-head": [],
}

PAIR = ["--methods", "dch,hashnet", "--seeds", "1"]
FEW = ["--methods", "dch,hashnet,csq,itq-cca,class-codes,lsh"]
FIGURES = [
    ("bits", FEW),
    ("pr", [*FEW, "--bits", "48"]),
    ("distances", [*PAIR, "--bits", "48"]),
    ("tsne", [*PAIR, "--bits", "48"]),
]
#: The figures of each board that has some: kind, options of `hashbench plot`.
FIGURES_OF = {
    "cifar10-head": [*FIGURES, ("topk", [*PAIR, "--bits", "48"])],
    "cifar10-tuned": [("bits", ["--methods", "dch,hashnet,dch-c,itq-cca"])],
    "voc2007-head": FIGURES,  # photographs are not ours to publish
}


def boards(names: Sequence[str]) -> list[Path]:
    """The boards' folders, of these names or all."""
    found = sorted({sweep.parent for sweep in RESULTS.glob("*/*.toml")})
    unknown = set(names) - {board.name for board in found}
    if unknown:
        known = ", ".join(board.name for board in found)
        sys.exit(f"remake: no board {', '.join(sorted(unknown))}; there are {known}")
    return [board for board in found if not names or board.name in names]


def commands(board: Path, work: Path, sweep_too: bool) -> Iterator[list[str]]:
    """Every `hashbench` command that makes a board, in order."""
    kept = ["--results", str(work / board.name)]
    if sweep_too:
        for sweep in sorted(board.glob("*.toml")):
            yield ["run", str(sweep), *kept]
    for name, options in TABLES_OF.get(board.name, HOUSE).items():
        yield ["export", *options, "--out", str(board / name), *kept]
    for kind, options in FIGURES_OF.get(board.name, ()):
        yield ["plot", kind, *options, "--format", "png", "--out", str(board / "figures"), *kept]
    if board.name not in PACKED:
        return
    # Labels of CIFAR-10 follow from its ids; those of other data have to come along.
    labels = [] if board.name.startswith("cifar10") else ["--with-split"]
    asked = [*PACKED[board.name], *labels]
    yield ["pack", "--seeds", "1", *asked, "--out", str(RESULTS / "board"), *kept]


def compress(scores: Path) -> None:
    """Put a table, where there is one, into an .xz file beside it instead."""
    if scores.is_file():
        scores.with_name(f"{scores.name}.xz").write_bytes(lzma.compress(scores.read_bytes()))
        scores.unlink()


def main() -> None:
    """Read the command line; stop at the first command that fails."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("boards", nargs="*", help="names of boards; all without any")
    parser.add_argument("--data-root", help="where the data sets are [default: $HASHBENCH_DATA]")
    parser.add_argument("--work", type=Path, default=Path("board-results"), help="results folders")
    parser.add_argument("--no-run", action="store_true", help="write from what has been run")
    asked = parser.parse_args()
    for board in boards(asked.boards):
        for command in commands(board, asked.work, not asked.no_run):
            if asked.data_root and command[0] in ("run", "plot", "pack"):
                command += ["--data-root", asked.data_root]
            print("hashbench", *command, flush=True)
            done = subprocess.run([sys.executable, "-m", "hashbench", *command], check=False)
            # 1 is a cell without scores, or a figure without its rows: the rest still stands.
            if done.returncode not in (0, 1):
                sys.exit(done.returncode)
        compress(board / "scores.csv")


if __name__ == "__main__":
    main()
