"""Work in threads, its results in order: decoding and scaling pictures leaves Python's lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from shared_scripts.processors import count_processors

Item, Result = TypeVar("Item"), TypeVar("Result")


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None, ahead: int | None = None
) -> Iterator[Result]:
    """function(item) for each item, computed in `threads` (default: one a processor), at most `ahead` items early.

    The first exception ends it, and nothing more is begun.
    """
    threads = threads or count_processors()
    if threads == 1:
        yield from map(function, items)
        return
    pool, waiting = ThreadPoolExecutor(threads), deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > (ahead or 2 * threads):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
