"""From a recipe to a manifest: locking, building, verifying."""
