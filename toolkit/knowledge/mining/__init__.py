"""Rules that training rows suggest, for a person to judge."""
