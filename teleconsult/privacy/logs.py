"""Log lines: JSON where people are real, short and readable on a developer's screen; by allow-list in both.

Our own lines are words with identifiers. What libraries say is prose that may quote anything (Reflex logs whole events
with their cookie, Stripe's client whole requests), so outside development only the place that said it is kept: the
sentence can be read there in the library's source.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from teleconsult.privacy import harmless

QUIET = (
    "stripe",
    "httpx",
    "httpcore",
    "urllib3",
    "sqlalchemy",
    "engineio",
    "engineio.server",
    "socketio",
    "socketio.server",
    "PIL",
    "asyncio",
    "procrastinate",
)
"""At lower levels these write request bodies, addresses with tokens, or SQL."""

OUTSPOKEN = ("alembic", "_granian", "granian")
"""Libraries whose lines hold nothing but names of migrations and addresses we listen on."""

LONGEST_STACK = 12

_SECRETS = [
    (re.compile(r"('(?:cookie|authorization)': ')[^']*", re.IGNORECASE), r"\1[removed]"),
    (re.compile(r"((?:with value|with argument) ').*(' and type hint)", re.DOTALL), r"\1[removed]\2"),
    (re.compile(r"(payload=).*?(\) \[txid)", re.DOTALL), r"\1[removed]\2"),
    (re.compile(r"(Event data: |event data: ).*", re.DOTALL), r"\1[removed]"),
    (re.compile(r"([?&]token=)[^&\s'\"]+"), r"\1[removed]"),
]


def configure_logging(*, development: bool, stream: TextIO | None = None) -> None:
    """Send everything that is logged in this process through one handler, on standard output unless told otherwise."""
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(_formatter(development=development))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in (*QUIET, "reflex", "reflex_base"):  # some give their loggers handlers of their own
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True


def _formatter(*, development: bool) -> logging.Formatter:
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    screen = structlog.dev.ConsoleRenderer(
        colors=sys.stdout.isatty(),
        exception_formatter=structlog.dev.plain_traceback,  # the default shows local variables
    )
    lines: list[Processor] = (
        [_redact, remove_meta, screen]
        if development
        else [_where_not_what, _allowed, remove_meta, structlog.processors.JSONRenderer()]
    )
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_shared(), processors=[_known_only, *lines])


def _shared() -> list[Processor]:
    return [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _known_only(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Our own lines keep only fields that are allowed and harmless in form, in development too."""
    if line.get("_from_structlog"):
        for name in [name for name in line if not name.startswith("_") and name not in ("exc_info", "timestamp")]:
            line[name] = harmless.value(line[name]) if name in harmless.KEYS else harmless.REMOVED
    return line


def _where_not_what(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """An exception becomes its type and its stack as places in the source: no text, no values."""
    exception = _exception(line.pop("exc_info", None))
    line.pop("exception", None)
    if exception is not None:
        line["error"] = type(exception).__name__
        line["frames"] = _places(exception.__traceback__)
    return line


def _allowed(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """A library's line keeps its logger, level and place; its sentence only when that can hold nothing private."""
    if line.get("_from_structlog"):
        return line
    kept = {name: line[name] for name in line if name in harmless.KEYS or name.startswith("_")}
    if not str(line.get("logger", "")).startswith(OUTSPOKEN):
        record: logging.LogRecord = line["_record"]
        kept |= {"event": "library_message", "where": f"{record.module}:{record.lineno}"}
    return kept


def _redact(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """In development sentences are readable; the worst in them isn't."""
    text = str(line.get("event", ""))
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    line["event"] = text
    return line


def _exception(raw: Any) -> BaseException | None:
    if isinstance(raw, BaseException):
        return raw
    if isinstance(raw, tuple):
        return raw[1]
    return sys.exc_info()[1] if raw else None


def _places(trace: TracebackType | None) -> list[str]:
    """The innermost frames, `module-file:function:line`."""
    return [
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.name}:{frame.lineno}"
        for frame in traceback.extract_tb(trace)[-LONGEST_STACK:]
    ]
