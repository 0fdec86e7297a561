"""The sandbox: its contract, kept against hostile jobs by both runners."""
