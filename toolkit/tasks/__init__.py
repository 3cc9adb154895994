"""Tasks: the same rows, features and splits for every track. One file each."""
