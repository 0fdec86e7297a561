"""Rebuilding in other circumstances, and finding out which of them makes a difference."""
