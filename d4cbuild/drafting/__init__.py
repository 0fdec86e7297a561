"""Drafting a recipe: what raw files hold, written as ``recipe.toml``."""
