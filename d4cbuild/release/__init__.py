"""Releases: what changed since the last, which version that asks for, and the tag that marks it."""
