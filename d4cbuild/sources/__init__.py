"""Raw files from wherever a copy is: the publisher, a mirror, a folder."""
