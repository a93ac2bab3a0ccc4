"""Run the routes without the pages: sign-in, photos, payments and health. It needs neither Reflex nor Redis."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from teleconsult.ops.environment import database, freeze
from teleconsult.ops.serve import listen


def arguments(parser: ArgumentParser) -> None:
    """Where to listen."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default %(default)s)")


def run(args: Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    with database():
        freeze()
        listen("teleconsult.api.standalone:app", args.host, args.port, workers=args.workers, factory=True)
    return 0
