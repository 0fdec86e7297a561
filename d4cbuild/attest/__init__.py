"""Signed statements about builds and rebuilds: keys, envelopes, statements, and whom to trust."""
