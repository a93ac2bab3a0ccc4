"""Sends prepared requests over a fixed number of kept connections, each as soon as the one before it is answered."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

from teleconsult.ops.faults import Fault


@dataclass(frozen=True)
class Burst:
    """What came of one burst: requests a second, and how long an answer took, in milliseconds."""

    rate: float
    p50: float
    p99: float
    longest: float
    answers: Counter[int]


def burst(port: int, requests: Sequence[bytes], connections: int) -> Burst:
    """Send all of them and wait for every answer."""
    return asyncio.run(_burst(port, deque(requests), connections))


async def _burst(port: int, requests: deque[bytes], connections: int) -> Burst:
    pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    took: list[float] = []
    answers: Counter[int] = Counter()
    began = time.perf_counter()
    await asyncio.gather(*(_send(reader, writer, requests, took, answers) for reader, writer in pairs))
    seconds = time.perf_counter() - began
    for _, writer in pairs:
        writer.close()
    cuts = quantiles(took, n=100)
    return Burst(len(took) / seconds, cuts[49], cuts[98], max(took), answers)


async def _send(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    requests: deque[bytes],
    took: list[float],
    answers: Counter[int],
) -> None:
    while requests:
        request = requests.popleft()
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(_length(head))
        took.append((time.perf_counter() - began) * 1000)
        answers[int(head[9:12])] += 1


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise Fault("An answer without a length.")
