"""What fitting and predicting do, counted: the same on every machine, whatever a clock says."""
