"""Batch moves: one trigger for every case that a filter finds, and exactly one outcome for each of them."""
