"""Made-up businesses whose best track is known, and evidence that is drawn of them."""
