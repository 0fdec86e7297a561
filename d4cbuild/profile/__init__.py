"""What there is to show of a recipe, a manifest or a file; nothing in a build depends on it."""
