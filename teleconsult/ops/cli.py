"""The command line: `teleconsult <command>`. Each command is a module with `arguments(parser)` and `run(args)`.

A command's module is imported only when that command is called, so that every one of them starts fast.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib import import_module

from teleconsult.ops.faults import Fault

COMMANDS = {
    "up": "set up and run the whole product",
    "test": "set up and run the tests, browser included; options go to pytest",
    "serve": "run the web server alone: pages, routes and jobs",
    "api": "run the routes without the pages",
    "worker": "run the background jobs alone",
    "migrate": "bring the database to the current version",
    "build": "compile the pages",
    "stripe": "set up, check and repair our side of Stripe",
    "invariants": "prove that no money is lost, doubled or stuck",
    "sentry": "keep the alerts at Sentry as they should be",
}

GROUPS = {
    "stripe": {
        "setup": "make product, price, portal and webhook endpoint at Stripe",
        "doctor": "check everything between Stripe and us",
        "reconcile": "bring every hanging payment to where Stripe has it, now",
        "replay": "apply one event again, as Stripe has it",
        "explain": "tell all that happened to one consultation or payment",
        "quarantine": "list what waits for an operator, and end the wait",
        "invariants": "prove that no money is lost, doubled or stuck",
    },
    "sentry": {
        "alerts": "create or mend the alerts that wake people",
    },
}
"""Commands of two words: each has a module of its own in the package of the first."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. The answer is the exit code: 0 done, 2 refused with a sentence, 130 stopped by Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    name, rest = words[0], words[1:]
    if name not in COMMANDS:
        print(f"There is no command {name!r}.\n\n{_help()}", file=sys.stderr)
        return 2
    return _group(name, rest) if name in GROUPS else _run(name, rest)


def _group(name: str, rest: list[str]) -> int:
    if not rest or rest[0] in ("-h", "--help", "help"):
        print(_help(name))
        return 0
    if rest[0] not in GROUPS[name]:
        print(f"There is no command {name + ' ' + rest[0]!r}.\n\n{_help(name)}", file=sys.stderr)
        return 2
    return _run(f"{name} {rest[0]}", rest[1:])


def _run(name: str, rest: list[str]) -> int:
    from teleconsult.settings import SettingsError

    module = import_module(f"teleconsult.ops.{name.replace(' ', '.')}")
    parser = ArgumentParser(
        f"teleconsult {name}",
        description=module.__doc__,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.arguments(parser)
    try:
        return module.run(_parsed(parser, name, rest))
    except SettingsError as error:
        print("The settings can’t be used:", *(f"  - {fault}" for fault in error.faults), sep="\n", file=sys.stderr)
        return 2
    except Fault as fault:
        print(fault, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parsed(parser: ArgumentParser, name: str, rest: list[str]) -> object:
    """The arguments; `test` keeps what it does not know for pytest."""
    if name != "test":
        return parser.parse_args(rest)
    known, unknown = parser.parse_known_args(rest)
    known.pytest = unknown
    return known


def _help(group: str = "") -> str:
    commands = GROUPS[group] if group else COMMANDS
    lines = [f"  {name:<12}{text}" for name, text in commands.items()]
    before = f"teleconsult {group}".strip()
    return "\n".join([f"{before} <command> [options]", "", *lines, "", f"{before} <command> --help tells more."])


if __name__ == "__main__":
    sys.exit(main())
