"""Published results instead of runs: the experiment file with the key ``published``, and tables in CSV."""
