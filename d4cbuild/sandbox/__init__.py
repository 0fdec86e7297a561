"""Isolation for one run: what a job is, and the runners that can run one."""
