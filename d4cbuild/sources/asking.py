"""Asking a web server once: who asks, which redirects are followed, and what is no answer."""

from collections.abc import Mapping

import requests
import urllib3

from d4cbuild import __version__
from d4cbuild.errors import Unavailable
from d4cbuild.sources import answer
from d4cbuild.sources.hosts import DownHosts
from d4cbuild.sources.neighbourhood import refuse_to_be_led_inside
from d4cbuild.sources.patience import within


class NoAnswer(Exception):
    """A server gave no answer at all, this time.

    Args:
        reason: Why.
        address: The address that was asked, after redirects.
        unconnected: Whether no connection could be made, so that asking the same host for
            another file is no use.
        silent: Whether it was connected, and then said nothing.
    """

    def __init__(self, reason: str, address: str, *, unconnected: bool, silent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.address = address
        self.unconnected = unconnected
        self.silent = silent


class PlainSession(requests.Session):
    """A session that fetches what it is told to and nothing more."""

    def __init__(self) -> None:
        super().__init__()
        self.headers = requests.structures.CaseInsensitiveDict(
            {
                "User-Agent": f"d4cbuild/{__version__}",
                "Accept": "*/*",
                "Accept-Encoding": "identity",
            }
        )
        # Otherwise passwords from ~/.netrc would be sent to whatever host a recipe names.
        self.auth = _no_credentials

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        """Follow no redirect."""
        # They are followed by hand. Left to itself, requests would read the whole body of
        # every redirect into memory, also when told not to follow it.
        return None


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def ask(
    session: requests.Session,
    method: str,
    address: str,
    headers: Mapping[str, str],
    *,
    timeouts_s: tuple[float, float],
    answer_s: float = 60,
    redirects: int,
    hosts: DownHosts,
) -> tuple[str, requests.Response]:
    """Ask for a file, following redirects.

    Args:
        session: Keeps the connections.
        method: ``GET`` or ``HEAD``.
        address: The address.
        headers: Further headers.
        timeouts_s: Seconds until a connection stands, and of silence afterwards.
        answer_s: Seconds until the head of an answer must be whole.
        redirects: How many redirects are followed.
        hosts: Hosts that are not to be asked. None is added.

    Returns:
        The last address, and its answer; the body is not read, the caller closes it.

    Raises:
        NoAnswer: if there was none.
        Unavailable: if there is no use in asking again.
    """
    here = address
    for _hop in range(redirects + 1):
        hosts.check(here)
        response = _once(session, method, here, headers, timeouts_s, answer_s)
        if response.status_code not in answer.REDIRECTS:
            return here, response
        response.close()
        target = answer.redirect_target(here, response.headers.get("Location"))
        refuse_to_be_led_inside(here, target)
        here = target
    raise Unavailable(f"more than {redirects} redirects", found=here, where=address)


def _once(
    session: requests.Session,
    method: str,
    address: str,
    headers: Mapping[str, str],
    timeouts_s: tuple[float, float],
    answer_s: float,
) -> requests.Response:
    try:
        return within(answer_s, lambda: session.request(
            method, address, headers=dict(headers), stream=True, allow_redirects=False,
            timeout=timeouts_s,
        ))  # fmt: skip
    except TimeoutError as error:
        raise NoAnswer(f"no answer: {error}", address, unconnected=False, silent=True) from error
    except (requests.exceptions.InvalidURL, UnicodeError) as error:
        raise Unavailable(f"not an address: {error}", where=address) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        reason = innermost(error)
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            raise Unavailable(
                "the server's certificate cannot be trusted", found=reason, where=address
            ) from error
        raise NoAnswer(
            f"no answer: {reason}",
            address,
            unconnected=_has_cause(error, _UNCONNECTED),
            silent=isinstance(error, requests.ReadTimeout),
        ) from error


_UNCONNECTED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
)


def status_of(response: requests.Response) -> str:
    """An answer's status in one line: ``404 Not Found``."""
    # The reason is the server's text: only what can be shown in one line is.
    reason = "".join(c for c in response.reason or "" if c.isprintable())[:60]
    return f"{response.status_code} {reason}".strip()


def innermost(error: BaseException) -> str:
    """What the last cause in a chain of wrapped errors says: the one that tells something."""
    last = _causes(error)[-1]
    return str(last) or type(last).__name__


def _has_cause(error: BaseException, kinds: tuple[type[BaseException], ...]) -> bool:
    return any(isinstance(each, kinds) for each in _causes(error))


def _causes(error: BaseException) -> list[BaseException]:
    seen = [error]
    while True:
        reason = getattr(seen[-1], "reason", None)
        cause = reason if isinstance(reason, BaseException) else seen[-1].__cause__
        cause = cause or seen[-1].__context__
        if cause is None or cause in seen:
            return seen
        seen.append(cause)
