"""Stores that several machines share: taking what others built, and pushing what was built here."""
