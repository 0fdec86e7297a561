"""A recipe's code: its folder at a git tree, as a canonical tar.

The tar's BLAKE3 is the code's identity, so a squash-merge or an unrelated commit changes nothing.
Commit and tree say where it was found.
"""
