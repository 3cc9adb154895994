"""Published results, or a user's own table, instead of runs: error against compute, one row a model."""
