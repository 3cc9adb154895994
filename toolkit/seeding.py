"""Seeds derived from names, so that adding a cell never changes another cell's draws."""

from __future__ import annotations

import hashlib
import json

__all__ = ["derive_seed"]


def derive_seed(*names: str | int) -> int:
    """Return a seed in [0, 2**32) that depends on every name and on their order.

    Parameters
    ----------
    *names : str or int
        What the draw is for, e.g. ``derive_seed("retail", "subset", 2)``.

    Returns
    -------
    int
        The first 32 bits of a SHA-256 digest; fit for ``numpy.random.default_rng``,
        scikit-learn's ``random_state`` and ``torch.Generator.manual_seed`` alike.
    """
    # JSON keeps 1 and "1" apart; int() makes NumPy's integers the same as Python's.
    text = json.dumps([name if isinstance(name, str) else int(name) for name in names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
