"""Content-addressed objects, images and realisations on this machine."""

from d4cbuild.store.store import Store

__all__ = ["Store"]
