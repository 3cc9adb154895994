"""What the whole suite shares."""

from __future__ import annotations

from hypothesis import settings

# The same examples on every machine, and no clock: a slow neighbour must not fail a test.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")
