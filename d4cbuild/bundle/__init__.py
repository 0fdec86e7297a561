"""Bundles: a release as flat files, with all that is needed to check and to rebuild it."""
