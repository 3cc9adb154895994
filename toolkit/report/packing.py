"""Text as a page carries it: deflated, and unpacked by ``unpacked.js`` in the browser."""

from __future__ import annotations

import base64
import zlib

__all__ = ["packed"]


def packed(text: str) -> str:
    """Return a text deflated (zlib, RFC 1950), in base64: safe between any tags."""
    return base64.b64encode(zlib.compress(text.encode(), level=6)).decode()
