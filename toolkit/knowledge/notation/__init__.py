"""Rules as words, mathematics and LaTeX, and in their shortest form."""
