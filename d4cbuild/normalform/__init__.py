"""One logical table, one byte string. Imports nothing else of d4cbuild."""
