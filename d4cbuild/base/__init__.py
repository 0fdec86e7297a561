"""The ground floor: digests, canonical JSON, files, archives, constants of sameness, ambient."""
