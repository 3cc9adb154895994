"""Tracks: families of methods that are compared. One file each."""
