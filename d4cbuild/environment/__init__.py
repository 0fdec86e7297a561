"""Container filesystems, assembled from locked packages and never executed into being."""
