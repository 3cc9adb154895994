"""Compiler B: a knowledge base as a differentiable torch module."""
