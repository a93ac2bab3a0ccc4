"""How often an account and a network address may try. In this process's memory: a restart forgets, workers don't share.

That stops the naive flood from the first day. Limits that hold across workers and restarts belong in the database.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from teleconsult.errors import TooMany
from teleconsult.settings import get_settings

MOST_KEYS = 20_000
"""Keys remembered at once, so that a flood of invented addresses can't fill the memory."""


@dataclass(frozen=True)
class Window:
    """At most `tries` in `seconds` for each key."""

    tries: int
    seconds: float
    seen: dict[str, deque[float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: str) -> bool:
        """Count one try; tell whether it is still within the limit."""
        now = time.monotonic()
        with self.lock:
            times = self.seen.setdefault(key, deque(maxlen=self.tries + 1))
            while times and now - times[0] >= self.seconds:
                times.popleft()
            if len(times) >= self.tries:
                return False
            times.append(now)
            if len(self.seen) > MOST_KEYS:
                self._forget(now)
            return True

    def clear(self, key: str = "") -> None:
        """Forget one key, or all."""
        with self.lock:
            if key:
                self.seen.pop(key, None)
            else:
                self.seen.clear()

    def _forget(self, now: float) -> None:
        for key in [key for key, times in self.seen.items() if now - times[-1] >= self.seconds]:
            del self.seen[key]
        while len(self.seen) > MOST_KEYS:  # all are fresh: the oldest keys make room
            del self.seen[next(iter(self.seen))]


# A person's own tries can be used up only from their own network, so nobody can lock somebody else out.
ACCOUNT = Window(tries=10, seconds=15 * 60)
ADDRESS = Window(tries=100, seconds=60 * 60)
NEW_ACCOUNTS = Window(tries=20, seconds=60 * 60)


def before_sign_in(email: str, address: str) -> None:
    """Count one try to sign in.

    Raises:
        TooMany: the limit of this account from this network, or of the network, is reached.
    """
    net = network(address)
    if not (_allowed(ADDRESS, net) and ACCOUNT.take(f"{email} {net}")):
        raise TooMany("Too many tries. Please wait 15 minutes and try again.")


def after_sign_in(email: str, address: str) -> None:
    """Forget the tries of somebody who has got their password right."""
    ACCOUNT.clear(f"{email} {network(address)}")


def before_sign_up(address: str) -> None:
    """Count one new account.

    Raises:
        TooMany: this network has made too many in the last hour.
    """
    if not _allowed(NEW_ACCOUNTS, network(address)):
        raise TooMany("Too many new accounts from your network. Please try again in an hour.")


def network(address: str) -> str:
    """The address to count: IPv4 as it is, IPv6 as its /64, which is what one household gets."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def _allowed(window: Window, net: str) -> bool:
    """Outside production this machine itself may try as often as it likes: tests and demonstrations come from it."""
    if net in ("127.0.0.1", "::/64") and not get_settings().production:
        return True
    return window.take(net)
