"""Small tasks whose right answers are known: proof that layers, loop and installation learn."""
