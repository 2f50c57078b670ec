"""Files, links, names, lists and numbers of the docs, held against what there is."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path

import pytest
import statements
from statements import DOCS, PAGES, ROOT

from hashbench import registries
from hashbench.errors import InputError
from hashbench.hasher import hyperparameters
from hashbench.testing import checks_of

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
NUMBERS += ["eleven", "twelve", "thirteen", "fourteen"]


def section(page: str, heading: str) -> str:
    """The text below a heading of a page, up to the next of its level or above."""
    text = (ROOT / page).read_text("utf-8")
    level = heading.split()[0]
    after = text.split(f"{heading}\n", 1)[1]
    return re.split(rf"^#{{1,{len(level)}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The rows of the tables of a text, without their heads, cells stripped."""
    found = re.findall(r"^\|(.*)\|$", text, flags=re.MULTILINE)
    split = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)] for row in found]
    heads = {at - 1 for at, row in enumerate(split) if set("".join(row)) <= set(":- ")}
    return [row for at, row in enumerate(split) if at not in heads and at - 1 not in heads]


def coded(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


@pytest.mark.parametrize("page", PAGES, ids=statements.named)
def test_files_named_in_code_exist(page: Path) -> None:
    roots = r"(?:hashbench|docs|tests|benchmarks|results|\.ci)/"
    faults = []
    for span in statements.spans(page):
        for path in re.findall(rf"^(?:python )?({roots}[\w./{{}},*-]*)(?: |$)", span):
            patterns = [path]
            if match := re.search(r"\{([^}]*)\}", path):
                patterns = [path.replace(match[0], one) for one in match[1].split(",")]
            faults += [one for one in patterns if not list(ROOT.glob(one))]
    assert not faults


@pytest.mark.parametrize("page", PAGES, ids=statements.named)
def test_links_lead_somewhere(page: Path) -> None:
    faults = []
    text = statements._FENCE.sub("", page.read_text("utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", statements._SPAN.sub("", text)):
        place, _, anchor = link.partition("#")
        if re.match(r"\w+:", link) or "generated" in Path(place).parts:
            continue  # other sites; pages that are made when the site is built
        target = (page.parent / place).resolve() if place else page
        if not target.exists() and (DOCS / place).name == "contributing.md":
            target = ROOT / "CONTRIBUTING.md"
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in statements.slugs(target)
        ):
            faults.append(link)
    assert not faults


@pytest.mark.parametrize("page", PAGES, ids=statements.named)
def test_names_of_python_exist(page: Path) -> None:
    faults = [
        span
        for span in statements.spans(page)
        if (match := re.fullmatch(r"(hashbench(?:\.\w+)+)(?:\(.*\))?", span))
        and not re.search(r"\.[A-Z]+$", match[1])  # such as hashbench.KIND
        and not exists(match[1])
    ]
    for block in statements.blocks(page, "python"):
        for module, names in re.findall(r"^from (hashbench[\w.]*) import (.*)$", block, re.M):
            faults += [
                f"{module}.{name}"
                for name in re.findall(r"\w+", names)
                if not exists(f"{module}.{name}")
            ]
        faults += [name for name in re.findall(r"(hashbench(?:\.\w+)+)", block) if not exists(name)]
    assert not faults


@pytest.mark.parametrize("page", PAGES, ids=statements.named)
def test_blocks_of_python_and_toml_can_be_read(page: Path) -> None:
    for block in statements.blocks(page, "python"):
        compile(block, statements.named(page), "exec")
    for block in statements.blocks(page, "toml"):
        tomllib.loads(block)


def test_the_sweep_file_of_the_page_is_one(tmp_path: Path) -> None:
    from hashbench.commands.run import command
    from hashbench.runner.sweepfile import read_sweep

    options = {name.removeprefix("--") for item in command.params for name in item.opts}
    (block,) = statements.blocks(DOCS / "sweeps.md", "toml")
    (tmp_path / "sweep.toml").write_text(block)
    read = read_sweep(tmp_path / "sweep.toml", options)
    assert {"methods", "bits", "seeds", "timeout"} <= read.keys()
    (tmp_path / "sweep.toml").write_text(block.replace("timeout", "time-out"))
    with pytest.raises(InputError, match="time-out"):
        read_sweep(tmp_path / "sweep.toml", options)


def exists(dotted: str) -> bool:
    if dotted.removeprefix("hashbench.") in registries.KINDS:
        return True  # a group of entry points
    parts = dotted.split(".")
    found = importlib.import_module(parts[0])
    for at, name in enumerate(parts[1:], 1):
        if not hasattr(found, name):
            try:
                importlib.import_module(".".join(parts[: at + 1]))
            except ImportError:
                return False
        found = getattr(found, name)
    return True


def test_variables_of_the_environment_and_extras_exist() -> None:
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "hashbench").rglob("*.py"))
    extras = PROJECT["project"]["optional-dependencies"]
    for page in PAGES:
        text = page.read_text("utf-8")
        for name in set(re.findall(r"\b_?HASHBENCH_[A-Z]+", text)):
            assert name in source, (page, name)
        for names in re.findall(r"hashbench\[([\w,]+)\]", text):
            assert set(names.split(",")) <= set(extras), (page, names)


def test_every_method_is_in_the_lists_and_tables_of_methods() -> None:
    every = registries.methods().parts()
    listed = re.search(r"^Methods: (.*?)\n\n", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    assert listed is not None
    for name, cls in every.items():
        title = cls.title.partition(" (")[0] or name
        family = {"dch-released": "released code", "greedyhash-unsupervised": "GreedyHash",
                  "hashnet-hswd": "HSWD"}.get(name, title)  # fmt: skip
        assert family in listed[1] or f"`{name}`" in listed[1], (name, title)
    deep = {row[0].strip("`") for row in rows(section("docs/methods.md", "## Losses"))}
    assert deep == {name for name, cls in every.items() if cls.kind == "deep"}
    shallow = rows(section("docs/baselines.md", "## What each does with the features"))
    assert {row[0].strip("`") for row in shallow} == every.keys() - deep


def test_hyper_parameters_of_the_table_of_losses_have_these_defaults() -> None:
    faults = []
    for name, _, said in rows(section("docs/methods.md", "## Losses")):
        method = name.strip("`")
        defaults = hyperparameters(registries.methods().get(method))
        for words in coded(said):
            if words not in {*defaults, *registries.methods().names(), "paper", "released"}:
                faults.append(f"{method}.{words}")
        pairs = re.findall(r"`(\w+)`(?: [^\d\s,;`]+)? (\d[\d.e-]*)(?=[ ,;]|$)(?! \()", said)
        for hyper, number in pairs:
            if defaults[hyper] is not None and float(defaults[hyper]) != float(number):
                faults.append(f"{method}.{hyper} is {defaults[hyper]}, not {number}")
    assert not faults


def test_gains_of_searched_methods_are_those_of_the_shipped_files() -> None:
    notes = re.compile(r"# (inflated[^\n]*)\n\[([a-z0-9-]+)\.(\d+)\]\n(\w*)")
    shipped: dict[str, dict[int, str]] = {}
    for file in (ROOT / "hashbench" / "shipped").glob("*.toml"):
        for note, method, bits, first in notes.findall(file.read_text("utf-8")):
            kept = "the defaults stay" in note or "no point is better" in note
            assert kept == (not first), f"{method}.{bits}"
            (gain,) = re.findall(r"gain ([+-]\d\.\d+ ± \d\.\d+)", note) or [""]
            said = "stay" if kept else gain.replace("0.", ".").replace("-", "−")
            shipped.setdefault(method, {})[int(bits)] = said
    table = [row for row in rows(section("docs/tuning.md", "## What is shipped")) if len(row) == 5]
    said = {row[0].strip("`"): dict(zip((16, 32, 48, 64), row[1:], strict=True)) for row in table}
    assert said == shipped


def test_every_convention_and_metric_is_in_the_tables_of_the_evaluator() -> None:
    presets = section("docs/evaluation.md", "## Conventions")
    named = {name for row in rows(presets) for name in coded(row[0])}
    missing = set(registries.conventions().names()) - named - {"house"}
    assert not missing
    counted = section("docs/evaluation.md", "## What is counted")
    known = {name.replace("{n}", "N").replace("{radius}", "2") for name in
             registries.metrics().names()}  # fmt: skip
    assert {name for row in rows(counted) for name in coded(row[0])} == known


def test_data_sets_and_protocols_have_the_numbers_of_the_tables() -> None:
    parts = registries.datasets().parts()
    sets = {coded(row[0])[0]: row for row in rows((DOCS / "data.md").read_text("utf-8").split(
        "## Protocols")[0])}  # fmt: skip
    assert parts.keys() <= sets.keys()
    for name, cls in parts.items():
        assert f"`{cls.default_protocol}`" in sets[name][2], name
    table = {coded(row[0])[0]: row for row in rows(section("docs/data.md", "## Protocols"))}
    protocols = {item.id: item for cls in parts.values() for item in cls.protocols.values()}
    said = {name for row in table.values() for cell in row for name in coded(cell)}
    assert protocols.keys() <= said
    for name, row in table.items():
        queries, train, database = row[1].split(" / ")
        item = protocols[name]
        assert queries == f"{item.queries:,}", name
        if item.train is not None:
            assert train == f"{item.train:,}", name
        if item.database is not None:
            assert database == f"{item.database:,}", name
        assert row[2].startswith("no") == (not item.train_in_database and item.train is not None)


def test_every_backbone_figure_and_executor_is_named() -> None:
    from hashbench.backbones.catalogue import summaries

    backbones = coded((DOCS / "backbones.md").read_text("utf-8"))
    plain = {name for name in summaries() if not name.endswith(":multi")}
    assert plain <= set(backbones)
    figures = {
        coded(row[0])[0] for row in rows(section("docs/tables-and-figures.md", "## Figures"))
    }
    assert figures == set(registries.plots().names())
    for kind, page in (("exports", "tables-and-figures.md"), ("executors", "sweeps.md")):
        text = (DOCS / page).read_text("utf-8")
        assert all(name in text for name in registries.registry(kind).names() if name != "local")


def test_the_table_of_kinds_names_every_kind_and_its_base() -> None:
    table = {coded(row[0])[0]: row for row in rows((DOCS / "extending.md").read_text("utf-8"))}
    assert table.keys() == registries.KINDS.keys()
    for kind, facts in registries.KINDS.items():
        assert facts.base.partition(":")[2] in table[kind][2]
        assert ("an instance" if facts.objects else "a subclass") in table[kind][1]


def test_the_floors_of_the_house_are_those_that_are_checked() -> None:
    floors = {name for row in rows(section("docs/architecture.md", "## Floors"))
              for name in coded(row[0])}  # fmt: skip
    said = {name.removesuffix("/").removesuffix(".py") for name in floors}
    (contract,) = PROJECT["tool"]["importlinter"]["contracts"]
    layers = {name.strip() for layer in contract["layers"] for name in re.split(r"[|:]", layer)}
    modules = {path.stem for path in (ROOT / "hashbench").glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in (ROOT / "hashbench").glob("*/__init__.py")}
    assert layers == modules | packages
    assert layers - said == {"__main__"}
    assert said <= layers
    heights = {name: at for at, layer in enumerate(contract["layers"])
               for name in re.findall(r"\w+", layer)}  # fmt: skip
    table = [coded(row[0]) for row in rows(section("docs/architecture.md", "## Floors"))]
    order = [min(heights[name.strip("/").removesuffix(".py")] for name in row) for row in table]
    assert order == sorted(order)  # a floor stands above those it may import from


def test_numbers_that_can_be_counted_are_right() -> None:
    every = registries.methods().parts().values()
    shallow = [cls for cls in every if cls.kind == "shallow"]
    floors = [cls for cls in every if cls.role == "floor"]
    checks = checks_of(object)  # type: ignore[type-var]
    counted = {
        r"(\w+) methods learn from features alone": len(shallow),
        r"the (\w+) floors": len(floors),
        r"## Add a method in (\w+) steps": 5,
        r"(\w+) kinds of part": len(registries.KINDS),
        r"(\d+) methods and variants": len(every) - len(floors),
        r"(\d+) conventions": len(registries.conventions().names()),
        r"(\d+) checks": len(checks),
    }
    seen = 0
    for page in PAGES:
        text = " ".join(page.read_text("utf-8").split())
        for pattern, number in counted.items():
            for said in re.findall(pattern, text):
                seen += 1
                value = int(said) if said.isdigit() else NUMBERS.index(said.lower())
                assert value == number, (page.name, pattern)
    assert seen >= 4
