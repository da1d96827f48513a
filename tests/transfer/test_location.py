"""URLs in parts: what is refused, and what of them is never shown."""

from pathlib import Path

import pytest
from loopback import names_in

from ocpp16.transfer import Location, TransferError, TransferFailure, TransferService


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "1 to 8,000 characters"),
        ("https://h/" + "a" * 8_000, "1 to 8,000 characters"),
        (None, "must be text"),
        ("/a/file", "must begin with a scheme"),
        ("https:/host/file", "must begin with a scheme"),
        ("https://", "no usable host and port"),
        ("https://:8080/file", "no usable host and port"),
        ("https://host:0/file", "no usable host and port"),
        ("https://host:70000/file", "no usable host and port"),
        ("https://host:port/file", "no usable host and port"),
        ("https://[::1/file", "no usable host and port"),
        ("https://" + "ä" * 80 + "/file", "no usable host and port"),
        ("https://host/a file", "a space, a control character"),
        ("ftp://host/a\r\nDELE b", "a space, a control character"),
        ("https://host/\ud800", "a space, a control character"),
        ("ftp://us%0D%0Aer:pass@host/", "a control character"),
        ("ftp://user:pa%00ss@host/", "a control character"),
        ("ftp://user:%ff@host/", "no UTF-8"),
    ],
)
def test_what_can_never_work_is_said_without_quoting_it(url: str, why: str) -> None:
    with pytest.raises(TransferError) as caught:
        Location.parse(url)
    assert caught.value.failure is TransferFailure.BAD_URL
    assert not caught.value.is_temporary
    assert why in str(caught.value)
    assert "pass" not in str(caught.value)


def test_a_path_that_hides_a_line_end_is_refused_where_it_is_decoded() -> None:
    with pytest.raises(TransferError, match="control character"):
        _ = Location.parse("ftp://host/a%0D%0ADELE%20b").decoded_path


def test_parts() -> None:
    found = Location.parse("FTPS://st%40tion:p%3Ass%2Fw%25@Files.Example.com:2121/a%20b/ü;type=i?x=1#y")
    assert (found.scheme, found.host, found.port) == ("ftps", "files.example.com", 2121)
    assert (found.user, found.password) == ("st@tion", "p:ss/w%")
    assert (found.path, found.decoded_path) == ("/a%20b/%C3%BC;type=i", "/a b/ü;type=i")
    assert found.query == "x=1"
    assert Location.parse("http://müller.example/").host == "xn--mller-kva.example"
    assert Location.parse("http://[::1]:81/").authority == "[::1]:81"
    assert Location.parse("http://host:80/").authority == Location.parse("http://host/").authority == "host"


@pytest.mark.parametrize("url", ["https://user:hunter2-long@host/file?token=abc123", "https://host/f?hunter2-long"])
def test_no_secret_is_shown(url: str) -> None:
    found = Location.parse(url)
    for text in (str(found), repr(found), f"{found}", repr([found])):
        assert text.strip("[]") == f"https://host{found.path}?***"


@pytest.mark.parametrize(
    "text",
    [
        "530 hunter2-long is wrong",
        "bad HUNTER2-LONG",
        "Basic dXNlcjpodW50ZXIyLWxvbmc=",
        "no such token abc/123",
        "no such token abc%2F123",
        "user is unknown",
    ],
)
def test_a_text_of_others_that_repeats_one_is_left_out(text: str) -> None:
    assert Location.parse("https://user:hunter2-long@host/file?token=abc%2F123").quoted(text) == "***"


def test_other_texts_are_shown_harmless() -> None:
    found = Location.parse("https://user:hunter2@host/file")
    assert found.quoted("no\x1b[2J such file") == "no\\x1b[2J such file"
    assert len(found.quoted("a" * 10_000)) < 250
    assert "***" in found.quoted("AuthorizationKey=0123")  # a secret that is none of the URL
    assert Location.parse("ftp://host/").quoted("any") == "any"


def test_a_password_of_one_letter_is_one() -> None:
    assert Location.parse("ftp://ab:x@host/").quoted("maximum") == "***"
    assert Location.parse("ftp://ab@host/").quoted("abandoned") == "abandoned"


@pytest.mark.parametrize(
    ("target", "user"),
    [
        ("/other", "user"),
        ("other", "user"),
        ("https://HOST:443/other", "user"),
        ("https://host:444/other", None),
        ("http://host/other", None),
        ("https://else.example/other", None),
        ("//else.example/other", None),
        ("https://new:pw@else.example/other", "new"),
    ],
)
def test_credentials_stay_with_whom_they_are_for(target: str, user: str | None) -> None:
    found = Location.parse("https://user:pw@host/folder/file?x=1").redirected(target)
    assert found.user == user
    assert found.path == ("/folder/other" if target == "other" else "/other")


def test_a_redirect_to_nonsense_is_an_error_of_ours() -> None:
    with pytest.raises(TransferError):
        Location.parse("https://host/").redirected("https://[")


@pytest.mark.parametrize(
    ("url", "name", "expected"),
    [
        ("https://host", "a b", "/a%20b"),
        ("https://host/", "a", "/a"),
        ("https://host/folder/", "ä?", "/folder/%C3%A4%3F"),
        ("https://host/folder", "a/b", "/folder/a%2Fb"),
    ],
)
def test_a_name_in_a_folder(url: str, name: str, expected: str) -> None:
    assert Location.parse(url).within(name).path == expected


def test_the_same_file_by_other_credentials_is_the_same() -> None:
    one = Location.parse("https://a:b@Host/file?v=1").fingerprint
    assert one == Location.parse("https://host:443/file?v=1").fingerprint
    assert one != Location.parse("https://host/file?v=2").fingerprint
    assert one != Location.parse("http://host/file?v=1").fingerprint


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"max_bytes": -1}, "max_bytes"),
        ({"max_bytes": 1.5}, "max_bytes"),
        ({"redirects": -1}, "redirects"),
        ({"idle_timeout": 0}, "idle_timeout"),
        ({"total_timeout": float("inf")}, "total_timeout"),
        ({"http_upload": "PATCH"}, "PUT or POST"),
        ({"http_field": 'a"\r\n'}, "http_field"),
    ],
)
def test_a_service_is_made_with_what_makes_sense(options: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        TransferService(**options)  # type: ignore[arg-type]


async def test_a_scheme_that_nobody_carries(tmp_path: Path) -> None:
    service = TransferService()
    assert service.schemes() == ("ftp", "ftpes", "ftps", "http", "https", "sftp")
    for url in ("gopher://host/file", "file:///etc/passwd", "javascript://x/y"):
        with pytest.raises(TransferError) as caught:
            await service.download(url, tmp_path / "file")
        assert caught.value.failure in (TransferFailure.UNSUPPORTED_SCHEME, TransferFailure.BAD_URL)
        with pytest.raises(TransferError):
            await service.upload(__file__, url)
    assert names_in(tmp_path) == []
