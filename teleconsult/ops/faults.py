"""What stops a command: never a traceback, always a sentence."""

from __future__ import annotations


class Fault(Exception):
    """A command can't go on. The message says why and what to do; the exit code is 2."""
