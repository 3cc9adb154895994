"""Fitted tracks outside the process that fitted them: saved without pickle, loaded, and served.

Nothing here shapes a result, so nothing here is part of a cell's fingerprint.
"""
