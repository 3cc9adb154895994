"""Is deep learning worth its cost on this task? Four tracks, one task, measured and priced."""

__version__ = "0.1.0"
