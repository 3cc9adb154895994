"""Whether a track should climb on: prospects, questions, what is saved, replays."""
