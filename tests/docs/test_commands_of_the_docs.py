"""Every `hashbench ...` of the docs: its verb, options, and the names it gives exist."""

from __future__ import annotations

import re
from functools import cache

import click
import pytest
import statements
from statements import PAGES, ROOT, Command

from hashbench import cli, registries
from hashbench.backbones.catalogue import summaries
from hashbench.commands import kinds
from hashbench.data.variants import VARIANTS
from hashbench.errors import InputError
from hashbench.evaluation import Convention, metrics
from hashbench.hasher import hyperparameters

COMMANDS = [command for page in PAGES for command in statements.commands(page)]

#: Words that stand for others.
PLACEHOLDER = re.compile(r"PLACEHOLDER|[A-Z][A-Z_-]*(@[A-Z]+)?")


@cache
def made_up() -> set[str]:
    """Names that the pages themselves bring: parts of their examples, data sets they import."""
    found: set[str] = set()
    for page in PAGES:
        for block in statements.blocks(page, "python"):
            found |= set(re.findall(r"""\bname(?:: [\w\[\]]+)? ?= ?["']([\w@{}-]+)["']""", block))
            found |= set(re.findall(r"""= Executor\(["']([\w-]+)["']""", block))
    for command in COMMANDS:
        if command.words[1:2] == ("new-method",):
            found.add(command.words[2])
        if "--as" in command.words:
            found.add(command.words[command.words.index("--as") + 1])
    return found


def known(kind: str) -> set[str]:
    names = {*kinds.names_of(kind), *made_up()}
    return names | set(summaries()) if kind == "backbones" else names


def verb_of(command: Command) -> tuple[click.Command, list[str]] | None:
    """The click command and the words after it; None where the verb is a placeholder."""
    rest = list(command.words[1:])
    if not rest or PLACEHOLDER.fullmatch(rest[0]) or rest[0].startswith("-"):
        return None
    found: click.Command = cli.group
    context = click.Context(cli.group, info_name="hashbench")
    while isinstance(found, click.Group) and rest and not rest[0].startswith("-"):
        inner = found.get_command(context, rest[0])
        assert inner is not None, f"there is no verb '{rest[0]}'"
        found = inner
        rest = rest[1:]
    return found, rest


def parsed(command: Command, verb: click.Command, words: list[str]) -> dict[str, object]:
    """What click reads, raising its own errors; a span may end with an option's name."""
    context = click.Context(verb, info_name=verb.name)
    try:
        return verb.make_parser(context).parse_args(list(words))[0]
    except click.BadOptionUsage:
        if command.whole:
            raise
        return verb.make_parser(context).parse_args([*words, "PLACEHOLDER"])[0]


def check_value(parameter: click.Parameter, value: str) -> None:
    kind = parameter.type
    if PLACEHOLDER.fullmatch(value):
        return
    if isinstance(kind, (click.Choice, click.IntRange)) or kind in (click.INT, click.FLOAT):
        kind.convert(value, parameter, None)
    elif isinstance(kind, kinds.ProtocolName):
        check_protocol(value)
    elif isinstance(kind, kinds.KindName):
        assert value in registries.KINDS, f"there is no kind '{value}'"
    elif isinstance(kind, kinds.PartName):
        check_names(kind, value)
    elif parameter.name == "settings":
        check_setting(value)


def check_names(kind: kinds.PartName, value: str) -> None:
    if kind.kind == "conventions":
        for name in re.findall(r"(?:^|,)([\w-]+)(?![^(]*\))", value):
            if name not in made_up():
                Convention.parse(name)
        if not made_up() & set(value.split(",")):
            Convention.parse_list(value)
        return
    if kind.kind == "metrics":
        value = value.partition("[")[0]
        patterns = [re.sub(r"\\{(n|radius)\\}", r"\\d+", re.escape(name)) for name in metrics()]
        matched = any(re.fullmatch(pattern, value) for pattern in patterns)
        assert matched or value in made_up(), f"there is no metric '{value}'"
        return
    for name in value.split(",") if kind.several else [value]:
        if kind.kind == "datasets" and name.startswith(("images:", "lists:")):
            continue
        if kind.kind == "backbones" and name.startswith("timm:"):
            continue
        if kind.kind == "methods" and name.endswith(".py"):
            continue
        assert name in known(kind.kind) | set(kind.words), f"there is no {kind.kind} '{name}'"


def check_protocol(value: str) -> None:
    every = registries.datasets().parts().values()
    plain = {item.id for cls in every for item in cls.protocols.values()} | {"lists"}
    varied = {f"{name}-{variant}" for name in plain for variant in VARIANTS}
    drawn = re.fullmatch(r"\d+[-/](\d+|all)[-/]rest(\+train)?", value)
    assert drawn or value in plain | varied, f"there is no protocol '{value}'"


def check_setting(text: str) -> None:
    """METHOD.NAME=VALUE or NAME=VALUE: some method has such a hyper-parameter."""
    name = text.partition("=")[0]
    method, dot, name = name.rpartition(".")
    if PLACEHOLDER.fullmatch(name) or method in made_up():
        return
    chosen = [method] if dot else registries.methods().names()
    has = any(name in hyperparameters(registries.methods().get(one)) for one in chosen)
    assert has or name in {"tuning", "bits", "seed"}, f"no hyper-parameter '{text}'"


@pytest.mark.parametrize("page", sorted({command.page for command in COMMANDS}))
def test_commands_exist_as_they_are_written(page: str) -> None:
    faults = []
    for command in (found for found in COMMANDS if found.page == page):
        try:
            check(command)
        except (AssertionError, InputError, click.ClickException) as error:
            faults.append(f"{command}: {getattr(error, 'message', error)}")
    assert not faults, "\n".join(faults)


def check(command: Command) -> None:
    found = verb_of(command)
    if found is None:
        return
    verb, words = found
    if isinstance(verb, click.Group):
        assert not command.whole, "it needs a verb of its own"
        return
    given = parsed(command, verb, words)
    for parameter in verb.params:
        values = given.get(str(parameter.name))
        for value in values if isinstance(values, (list, tuple)) else [values]:
            if isinstance(value, str):
                check_value(parameter, value)
        if command.whole and parameter.required:
            lacking = values is None or values == ()
            assert not lacking, f"{parameter.human_readable_name} is missing"


def options_of_verbs() -> set[str]:
    found = {"--help", "--version"}
    waiting: list[click.Command] = [cli.group]
    while waiting:
        command = waiting.pop()
        if isinstance(command, click.Group):
            context = click.Context(command)
            waiting += [command.get_command(context, n) for n in command.list_commands(context)]
        for parameter in command.params:
            found |= {*parameter.opts, *parameter.secondary_opts}
    return found


def test_options_named_alone_exist() -> None:
    scripts = "\n".join(path.read_text("utf-8") for path in (ROOT / "benchmarks").glob("*.py"))
    options = options_of_verbs() | set(re.findall(r'"(--[a-z-]+)"', scripts))
    faults = [
        f"{statements.named(page)}: {span}"
        for page in PAGES
        for span in statements.spans(page)
        if span.startswith("--") and span.split()[0].partition("=")[0] not in options
    ]
    assert not faults, "\n".join(faults)


def test_settings_named_alone_exist() -> None:
    faults = []
    for page in PAGES:
        for span in statements.spans(page):
            if span.startswith("--set "):
                try:
                    check_setting(span.split()[1])
                except (AssertionError, InputError) as error:
                    faults.append(f"{statements.named(page)}: {span}: {error}")
    assert not faults, "\n".join(faults)


def test_examples_of_the_help_exist_too() -> None:
    faults = []
    for name in cli.VERBS:
        verb = cli.group.get_command(click.Context(cli.group), name)
        verbs = verb.commands.values() if isinstance(verb, click.Group) else [verb]
        for one in verbs:
            for line in re.findall(r"(?:^|Example: ) *(hashbench .*)$", one.epilog or "", re.M):
                command = Command(f"{name} --help", statements._words(line), True)
                try:
                    check(command)
                except (AssertionError, InputError, click.ClickException) as error:
                    faults.append(f"{command}: {getattr(error, 'message', error)}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "line",
    [
        "hashbench rnu --bits 16",
        "hashbench run --bitz 16",
        "hashbench run --methods dhc --bits 16",
        "hashbench run --set dch.gama=3",
        "hashbench score --codes x.npz --convention hous",
        "hashbench compare --metric map@h",
        "hashbench run --protocol cifar11",
        "hashbench plot tsnee",
        "hashbench run --train heads",
        "hashbench encode dch:48:0",
    ],
)
def test_a_command_that_drifted_is_found(line: str) -> None:
    with pytest.raises((AssertionError, InputError, click.ClickException)):
        check(Command("here", statements._words(line), True))
