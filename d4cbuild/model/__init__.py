"""The records: what is wanted (recipe), found (lock), and made (manifest). No input or output."""
