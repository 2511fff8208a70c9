"""Fixtures that the tests of several folders use; their conftest.py imports them."""

from __future__ import annotations

from contextlib import contextmanager

import pytest


@pytest.fixture
def full_disk():
    """`with full_disk(size):` no file of this process can grow beyond `size` bytes."""
    resource = pytest.importorskip("resource")

    @contextmanager
    def limited(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
