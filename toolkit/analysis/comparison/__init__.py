"""Tracks compared: differences, rankings, fronts, equal errors."""
