"""Which servers and addresses a download goes to, and what it tells them."""

import ssl
from pathlib import Path

import pytest

from d4cbuild.errors import InputError, Unavailable
from d4cbuild.sources.http import HttpOrigin
from d4cbuild.sources.neighbourhood import refuse_to_be_led_inside

from .server import Site, redirect, stall, status, whole
from .test_http import BODY, download, refusal


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed(site: Site, tmp_path: Path, code: int) -> None:
    site.serve("/b/c", whole(BODY))
    assert download(site.serve("/a", redirect("b/c", code)), tmp_path) == BODY


@pytest.mark.parametrize(
    "target",
    ["ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://x/", "//u:p@127.0.0.1/", "https://"],
)
def test_a_redirect_off_the_web_is_refused(site: Site, tmp_path: Path, target: str) -> None:
    error = refusal(site.serve("/a", redirect(target)), tmp_path)
    assert "redirect" in error.message
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/", "http://10.0.0.1/", "http://[fe80::1]/"]
)
def test_a_redirect_into_another_network_is_refused(
    site: Site, tmp_path: Path, target: str
) -> None:
    error = refusal(site.serve("/a", redirect(target)), tmp_path)
    assert "another network" in error.message
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("by", "to", "follows"),
    [
        ("http://93.184.216.34/", "http://127.0.0.1/", False),
        ("http://93.184.216.34/", "http://192.168.1.1/", False),
        ("http://93.184.216.34/", "http://[::ffff:127.0.0.1]/", False),
        ("http://93.184.216.34/", "http://2130706433/", False),
        ("http://93.184.216.34/", "http://1.1.1.1/", True),
        ("http://192.168.1.1/", "http://192.168.1.2/", True),
        ("http://192.168.1.1/", "http://1.1.1.1/", True),
        ("http://192.168.1.1/", "http://localhost/", False),
    ],
)
def test_who_redirects_must_be_in_the_network_it_redirects_to(
    by: str, to: str, follows: bool
) -> None:
    if follows:
        refuse_to_be_led_inside(by, to)
    else:
        with pytest.raises(Unavailable):
            refuse_to_be_led_inside(by, to)


def test_a_redirect_to_nowhere_is_refused(site: Site, tmp_path: Path) -> None:
    assert "nowhere" in refusal(site.serve("/a", status(302)), tmp_path).message


def test_a_redirect_loop_ends(site: Site, tmp_path: Path) -> None:
    error = refusal(site.serve("/a", redirect("/a")), tmp_path)
    assert "more than 5 redirects" in error.message
    assert len(site.asked("/a")) == 6


def test_the_body_of_a_redirect_is_not_read(site: Site, tmp_path: Path) -> None:
    site.serve("/b", whole(BODY))
    assert download(site.serve("/a", stall(BODY, 100, 302, Location="/b")), tmp_path) == BODY
    assert len(site.requests) == 2


def test_a_server_whose_certificate_nobody_vouches_for_is_refused(
    site: Site, tmp_path: Path, self_signed: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed)
    site.wrap(context)
    address = site.serve("/a", whole(BODY)).replace("http://", "https://")
    error = refusal(address, tmp_path)
    assert "certificate" in error.message
    assert site.requests == []


def test_a_redirect_from_https_to_http_is_refused(
    site: Site, tmp_path: Path, self_signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(self_signed))
    with Site() as plain:
        target = plain.serve("/b", whole(BODY))
        site.wrap(context)
        address = site.serve("/a", redirect(target)).replace("http://", "https://")
        assert "from https to http" in refusal(address, tmp_path).message
        assert plain.requests == []
    secure = site.serve("/c", whole(BODY)).replace("http://", "https://")
    assert download(secure, tmp_path) == BODY


def test_passwords_of_the_user_are_not_sent(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    download(site.serve("/a", whole(BODY)), tmp_path)
    assert "Authorization" not in site.asked("/a")[0]


@pytest.mark.parametrize(
    "address", ["ftp://h/x", "file:///etc/passwd", "http://", "x", "http://u:p@h/", "http://h:x/"]
)
def test_an_address_that_cannot_be_fetched_from_is_bad_input(address: str) -> None:
    with pytest.raises(InputError):
        HttpOrigin(address)
