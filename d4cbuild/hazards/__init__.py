"""Hazards to sameness: what in a recipe may give other bytes elsewhere, found by reading alone."""
