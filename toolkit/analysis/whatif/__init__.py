"""What would change the verdict: the same arithmetic under other economics, without reading evidence."""
