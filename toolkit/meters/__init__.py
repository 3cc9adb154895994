"""Meters: what a phase of a cell costs. One file each."""
