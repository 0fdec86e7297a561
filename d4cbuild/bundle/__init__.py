"""Bundles: a release as a folder of flat files, with all that is needed to check and to rebuild it."""
