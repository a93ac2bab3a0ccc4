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
}


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
    return _run(name, rest)


def _run(name: str, rest: list[str]) -> int:
    from teleconsult.settings import SettingsError

    module = import_module(f"teleconsult.ops.{name}")
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


def _help() -> str:
    lines = [f"  {name:<10}{text}" for name, text in COMMANDS.items()]
    return "\n".join(["teleconsult <command> [options]", "", *lines, "", "teleconsult <command> --help tells more."])


if __name__ == "__main__":
    sys.exit(main())
