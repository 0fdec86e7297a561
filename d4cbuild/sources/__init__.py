"""Raw files from wherever a copy is."""
