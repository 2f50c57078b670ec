"""What shells complete: verbs, options, names of parts and cells."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hashbench.commands import kinds


@pytest.fixture
def complete(hashbench, monkeypatch: pytest.MonkeyPatch):
    """What bash is told of a line with the cursor at its end."""

    def ask(line: str, breaks: str = " \t\n\"'><=;|&(:") -> list[str]:
        monkeypatch.setenv("_HASHBENCH_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_LINE", line)
        monkeypatch.setenv("COMP_WORDBREAKS", breaks)
        done = hashbench()
        assert done.code == 0, done.err
        return [found.removeprefix("plain,") for found in done.out.split()]

    return ask


def cell(name: str, folder: str = "hashbench-results") -> None:
    method, bits, seed = name.rsplit(":", 2)
    path = Path(folder) / "records" / f"{abs(hash(name)):x}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cell": {"method": method, "bits": int(bits), "seed": int(seed)}}))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("hashbench rec", ["reconcile"]),
        ("hashbench run --unt", ["--untuned"]),
        ("hashbench run --methods hashnet,dch,dch", ["dch-c", "dch-e", "dch-q", "dch-released"]),
        ("hashbench run --methods=al", ["all"]),
        ("hashbench tune --method mihas", ["mihash"]),
        ("hashbench run --datasets digits,voc", ["voc2007", "voc2012"]),
        ("hashbench data verify cifar", ["cifar10", "cifar100"]),
        ("hashbench score --convention house,fire", ["fire", "fire-old"]),
        ("hashbench score --convention 'house(order=best,", []),
        ("hashbench compare --metric map", ["map", "map@100", "map@1000", "map@5000", "map@h2"]),
        ("hashbench run --backbone resn", ["resnet18", "resnet50"]),
        ("hashbench run --executor r", ["ray"]),
        ("hashbench plot ts", ["tsne"]),
        ("hashbench export --format m", ["markdown"]),
        ("hashbench parts me", ["methods", "metrics"]),
        (
            "hashbench run --datasets digits --protocol ",
            ["digits", "digits-unseen", "digits-shifted"],
        ),
    ],
)
def test_names_are_completed(complete, line: str, found: list[str]) -> None:
    words = [item.rpartition(",")[2] for item in complete(line)]
    assert words == found


def test_a_list_is_completed_as_a_whole_word(complete) -> None:
    assert complete("hashbench run --methods lsh,itq-") == ["lsh,itq-cca"]


def test_cells_are_completed_from_the_results_folder(complete) -> None:
    for name in ("dch:16:0", "dch:48:0", "dch:48:1", "lsh:16:0"):
        cell(name)
    cell("sdh:32:0", "others")
    # Bash has taken the word apart at its colons and replaces what stands behind the last.
    assert complete("hashbench explain dch:48:") == ["0", "1"]
    assert complete("hashbench explain dch:48:", breaks=" =") == ["dch:48:0", "dch:48:1"]
    assert complete("hashbench explain l") == ["lsh:16:0"]
    assert complete("hashbench diff --results others ") == ["sdh:32:0"]
    assert complete("hashbench serve others --cells lsh:16:0,s") == ["0,sdh:32:0"]
    assert complete("hashbench encode ./my-enc") == ["dir,./my-enc"]


def test_nothing_that_a_shell_would_run_comes_from_a_record(complete) -> None:
    cell("$(touch owned):16:0")
    cell("a b:16:0")
    (Path("hashbench-results") / "records" / "half.json").write_text('{"cell": {"met')
    assert kinds.cells_in(Path("hashbench-results")) == []
    assert complete("hashbench explain ") == ["dir,"]


def test_bash_itself_completes_a_cell_and_a_list(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    cell("dch:48:0")
    command = Path(sys.executable).parent / "hashbench"
    script = f"""
eval "$(_HASHBENCH_COMPLETE=bash_source {command} 2>/dev/null)"
ask() {{ COMP_LINE=$1 COMP_POINT=${{#1}}; COMPREPLY=()
  _hashbench_completion {command}; echo "${{COMPREPLY[*]}}"; }}
ask "hashbench explain dch:4"
ask "hashbench run --methods lsh,dhn"
"""
    shell = ["bash", "--norc", "-c", script]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["48:0", "lsh,dhn"], done.stderr


def test_fish_is_told_to_keep_commas(hashbench, monkeypatch) -> None:
    monkeypatch.setenv("_HASHBENCH_COMPLETE", "fish_source")
    assert 'string split -m 1 "," $completion' in hashbench().out


def test_no_key_waits_for_pytorch(tmp_path: Path) -> None:
    code = """
import os, sys
from hashbench import cli
for line in ("run --methods ", "run --convention ", "compare --metric ", "run --backbone ",
             "run --protocol ", "explain ", "plot ", "run --datasets "):
    os.environ["COMP_LINE"] = f"hashbench {line}"
    try:
        cli.main([])
    except SystemExit:
        pass
print("torch" in sys.modules, "numba" in sys.modules, file=sys.stderr)
"""
    environ = os.environ | {"_HASHBENCH_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.split() == ["False", "False"]
