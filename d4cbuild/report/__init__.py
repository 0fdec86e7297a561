"""Results as HTML pages: each one file, without scripts, and without anything from outside."""
