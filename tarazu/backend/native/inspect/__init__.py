"""Looking at native programs: their schedule as text, and where their time goes."""
