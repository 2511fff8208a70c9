"""What the tests of the shared modules share."""

from shared_scripts.testing import full_disk  # noqa: F401
