"""What `new-method` writes works as it is, and CONTRIBUTING's five steps are true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from hashbench import cli, registries
from hashbench.commands import check, new_method
from hashbench.errors import InputError
from hashbench.plugins import import_file
from hashbench.testing import checks_of
from hashbench.testing.scaffold import KINDS, scaffold

ROOT = Path(__file__).parents[2]


def _template(kind: str, folder: Path) -> type:
    path = folder / f"my_{kind}.py"
    path.write_text(scaffold(f"my-{kind}", kind, path.name))
    return getattr(import_file(path)[0], f"My{kind.capitalize()}")


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, type]:
    return {kind: _template(kind, tmp_path_factory.mktemp(kind)) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [c.name for c in checks_of(object)])  # type: ignore[type-var]
def test_a_template_passes_every_check(templates, kind: str, name: str) -> None:
    next(c for c in checks_of(templates[kind]) if c.name == name)()


EXAMPLES = ("ProxyHash", "BankHash")


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, type]:
    """The complete files of docs/add-a-method.md, by class."""
    page = (ROOT / "docs" / "add-a-method.md").read_text()
    section = page.split("## What a deep method may add")[1].split("\n## ")[0]
    found = {}
    for block in re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL):
        path = tmp_path_factory.mktemp("example") / "example.py"
        path.write_text(block)
        made = vars(import_file(path)[0])
        found |= {name: made[name] for name in EXAMPLES if name in made}
    return found


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("check", [c.name for c in checks_of(object)])  # type: ignore[type-var]
def test_an_example_passes_every_check(examples, name: str, check: str) -> None:
    next(c for c in checks_of(examples[name]) if c.name == check)()


def test_the_reference_explains_every_part_of_a_step() -> None:
    from hashbench.training.step import Step

    page = (ROOT / "docs" / "add-a-method.md").read_text()
    section = page.split("## What a deep method may add")[1].split("Learnable proxies")[0]
    known = {*Step.__dataclass_fields__, "progress"}
    rows = [re.findall(r"`([a-z]+)`", row) for row in re.findall(r"^\| (`[^|]*) \|", section, re.M)]
    assert known <= {word for row in rows for word in row}


@pytest.mark.parametrize("kind", KINDS)
def test_a_templates_lines_fit_the_project(kind: str) -> None:
    assert max(map(len, scaffold("my-hash", kind, "my_hash.py").splitlines())) <= 100


@pytest.mark.parametrize("name", ["My-Hash", "a b", "a.b", "", "-a", "class", "a=1"])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot be a method's name"):
        scaffold(name, "deep", "x.py")


def _invoke(command, *args: str):
    registries.made.clear()
    return CliRunner().invoke(command, list(args), standalone_mode=False)


def test_new_method_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "hashbench check my_hash.py" in _invoke(new_method.command, "my-hash").output
    text = Path("my_hash.py").read_text()
    again = _invoke(new_method.command, "my-hash", "--kind", "shallow")
    assert isinstance(again.exception, InputError)
    assert "my_hash.py exists already" in str(again.exception)
    assert Path("my_hash.py").read_text() == text
    taken = _invoke(new_method.command, "dch", "--out", "mine.py")
    assert "'dch' exists already" in str(taken.exception)
    Path("nowhere").touch()  # a file, in which none can be
    nowhere = _invoke(new_method.command, "my-hash", "--out", "nowhere/mine.py")
    assert "cannot write nowhere/mine.py" in str(nowhere.exception)


FAULTY = """
from hashbench.baselines.lsh import LSH
class Mine(LSH):
    name = "mine"
class Faulty(LSH):
    name = "faulty"
    citation = ""
"""


def test_check_prints_each_check_and_fails_when_one_does(tmp_path: Path) -> None:
    path = tmp_path / "two.py"
    path.write_text(FAULTY)
    done = _invoke(check.command, str(path))
    assert done.return_value == 1
    assert "FAIL  faulty  description: citation is ''" in done.output
    assert "pass  mine  description: " in done.output
    count = len(checks_of(object))  # type: ignore[type-var]
    assert f"1 of {2 * count} checks failed" in done.output
    good = _invoke(check.command, str(path), "mine")
    assert good.return_value == 0
    assert f"All {count} checks passed" in good.output
    assert f"hashbench run --methods mine --plugin {path}" in good.output


def test_check_takes_an_installed_method_and_prints_json() -> None:
    import json

    done = _invoke(check.command, "lsh", "--json")
    body = json.loads(done.output)
    assert body["failed"] == done.return_value == 0
    assert {row["method"] for row in body["checks"]} == {"lsh"}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nothing.py"], "no plugin file"),
        (["lhs"], "did you mean lsh"),
        (["lsh", "other"], "unknown method in lsh 'other'"),
    ],
)
def test_check_says_what_it_cannot_use(args: list[str], says: str) -> None:
    done = _invoke(check.command, *args)
    assert isinstance(done.exception, InputError)
    assert says in str(done.exception)


def test_the_five_steps_of_contributing_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    text = (ROOT / "CONTRIBUTING.md").read_text()
    section = text.split("## Add a method in 5 steps")[1].split("\n## ")[0]
    assert [int(n) for n in re.findall(r"^(\d)\. ", section, flags=re.MULTILINE)] == [1, 2, 3, 4, 5]
    commands = [
        line.strip()
        for block in re.findall(r"```console\n(.*?)```", section, flags=re.DOTALL)
        for line in block.splitlines()
        if line.strip()
    ]
    assert [shlex.split(line)[:2] for line in commands] == [
        ["hashbench", verb] for verb in ("new-method", "check", "run")
    ]
    for line in commands:
        registries.made.clear()  # each command is a process of its own
        extra = ["--set", "my-hash.epochs=5", "--json"] if " run " in line else []
        with pytest.raises(SystemExit) as stop:
            cli.main(shlex.split(line)[1:] + extra)
        out = capsys.readouterr()
        assert not stop.value.code, out.out + out.err


def test_the_reference_names_every_check() -> None:
    page = (ROOT / "docs" / "add-a-method.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", page, flags=re.MULTILINE)
    checks = checks_of(object)  # type: ignore[type-var]
    assert [row for row in rows if row[0] in {c.name for c in checks}] == [
        (c.name, c.summary) for c in checks
    ]
