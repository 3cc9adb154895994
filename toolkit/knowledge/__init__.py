"""Expert knowledge: one file, compiled to an expert system and to a teacher."""
