"""How patiently web servers are asked."""

from dataclasses import dataclass

from d4cbuild.sources.origin import LARGEST_BODY_BYTES


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """How long and how often a server is tried. Times are in seconds, sizes in bytes."""

    connect_s: float = 10
    """Until a connection stands."""

    read_s: float = 30
    """Silence that counts as a cut connection."""

    answer_s: float = 60
    """Until the head of an answer is whole."""

    attempts: int = 5
    """Attempts in a row that bring less than ``headway_bytes``."""

    headway_bytes: int = 1 << 20
    """New bytes that make an attempt a success, also if the connection was cut after them."""

    backoff_s: float = 1
    """Pause after the first failure; doubled after each further one."""

    longest_backoff_s: float = 30
    """Longest pause of our own choice."""

    longest_retry_after_s: float = 60
    """Longest pause taken because the server asks for it. Asked for more, we give up."""

    redirects: int = 5
    """Redirects followed in one attempt."""

    body_bytes: int = LARGEST_BODY_BYTES
    """What is taken at most where no smaller limit is given."""

    slow_bytes_per_s: float = 100
    """A connection slower than this over ``slow_window_s`` counts as cut."""

    slow_window_s: float = 60
    """How long a connection may be slow."""
