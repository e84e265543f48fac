"""The fits that studies are made of: a model made again and again, changed, trained, and measured row by row."""
