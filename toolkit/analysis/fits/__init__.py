"""Curves fitted to ladders: forms, profiles, refusals."""
