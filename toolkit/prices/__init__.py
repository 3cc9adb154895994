"""Prices: dated, sourced tables that turn physical quantities into money and carbon."""
