"""The sweep: plan the cells, run each in its own metered process."""
