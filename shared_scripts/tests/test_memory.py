"""How much memory there is."""

import sys

import pytest

from shared_scripts import memory
from shared_scripts.cli import UserError


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
def test_available_memory_is_plausible():
    assert 2**24 < memory.available_memory() < 2**50


def test_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "granted", 0.0)
    monkeypatch.setattr(memory, "available_memory", lambda: 2_000_000_000)
    memory.check_memory(1_999_999_999, "a picture")
    with pytest.raises(UserError, match=r"not enough memory for a picture \(about 3.0 GB are needed, 2.0 free\)"):
        memory.check_memory(3e9, "a picture")


def test_what_was_granted_once_is_not_asked_for_again(monkeypatch):
    """After the first picture the process holds that memory, and the system counts it as used."""
    monkeypatch.setattr(memory, "granted", 0.0)
    monkeypatch.setattr(memory, "available_memory", lambda: 2_000_000_000)
    memory.check_memory(1_500_000_000, "a picture")
    monkeypatch.setattr(memory, "available_memory", lambda: 100)
    memory.check_memory(1_500_000_000, "the next")
    with pytest.raises(UserError, match="not enough memory for a larger one"):
        memory.check_memory(1_500_000_001, "a larger one")


def test_where_the_system_does_not_tell_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "granted", 0.0)
    monkeypatch.setattr(memory, "available_memory", lambda: None)
    memory.check_memory(1e18, "a picture")
