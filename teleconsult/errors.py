"""Refusals: expected failures, each a sentence a person may read, a stable code and an HTTP status.

They never page anybody. What is unexpected stays an ordinary exception and goes to Sentry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class Refusal(Exception):
    """The request is understood and answered with no. Subclasses fix the status; callers give the sentence."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"

    def __init__(self, message: str = "That didn’t work.", **facts: str) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts

    def body(self) -> dict[str, object]:
        """What an API client receives."""
        return {"error": {"code": self.code, "message": self.message}, **self.facts}


class SignInNeeded(Refusal):
    """No session, or one that has ended."""

    status, code = 401, "sign_in_needed"


class Forbidden(Refusal):
    """Signed in, but not somebody who may do this."""

    status, code = 403, "forbidden"


class NotFound(Refusal):
    """Absent or somebody else's: the two answer alike."""

    status, code = 404, "not_found"

    def __init__(self, message: str = "There is nothing here.", **facts: str) -> None:
        super().__init__(message, **facts)


class Conflict(Refusal):
    """The thing has moved on meanwhile."""

    status, code = 409, "conflict"


class TooLarge(Refusal):
    """More bytes than we take."""

    status, code = 413, "too_large"


class Invalid(Refusal):
    """Input a person can mend: a message for each field, in the order of the page."""

    status, code = 422, "invalid"

    def __init__(self, problems: Mapping[str, str], message: str = "", **facts: str) -> None:
        super().__init__(message or next(iter(problems.values()), "Please check your answers."), **facts)
        self.problems = dict(problems)

    def body(self) -> dict[str, object]:
        """Adds the messages by field."""
        return {**super().body(), "fields": self.problems}


class TooMany(Refusal):
    """Too often; try again later."""

    status, code = 429, "too_many"


class Unavailable(Refusal):
    """Somebody we depend on doesn't answer; nothing was lost."""

    status, code = 503, "unavailable"
