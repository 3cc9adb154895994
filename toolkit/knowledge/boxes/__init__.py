"""Conditions as unions of boxes: exact set arithmetic over all rows that there could be."""
