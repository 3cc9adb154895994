"""Analysis: records in, curves, comparisons, economics and verdict out. Pure."""
