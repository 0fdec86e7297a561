"""How much memory a process had at most, asked from inside it."""

PEAK_KB = "int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
"""Kilobytes, as an expression of Python. What ``getrusage`` says begins with the memory of the
process that forked, and so with that of the tests."""
