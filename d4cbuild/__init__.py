"""d4cbuild: datasets that anyone can build again and get the same bytes."""

__version__ = "0.1.0"
