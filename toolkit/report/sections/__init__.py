"""Sections of the report. One file each."""
