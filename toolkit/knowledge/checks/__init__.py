"""What is wrong with a knowledge base: by itself, exactly, and against training rows."""
