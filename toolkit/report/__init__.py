"""The report: one self-contained HTML file and results.json, from records only."""
