"""What a results board shows: figures with readable names, notes, and the views to look at them."""
