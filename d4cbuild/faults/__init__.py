"""What is wrong with a ``recipe.toml``: each fault at its line, with what to write instead."""
