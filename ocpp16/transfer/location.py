"""Where a file is or goes: a URL in its parts, of which only what is no secret can be shown.

Secrets of a URL are its user and password, and its query, which holds the signature of links that are made for one
use. They are in no `str`, no `repr` and no text of ours; a text of others that repeats one is left out.
"""

from base64 import b64encode
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from ocpp16.redaction import HIDDEN, redacted_prose
from ocpp16.texts import shown
from ocpp16.transfer.failures import TransferError, TransferFailure

__all__ = ["DEFAULT_PORTS", "Location"]

LONGEST_URL: Final = 8_000
"""Characters; RFC 9110 §4.1 recommends that everybody takes as many."""
DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ftp": 21, "ftpes": 21, "ftps": 990, "sftp": 22}

_SAFE: Final = "%/:@!$&'()*+,;=~-._"
_SHORTEST_SECRET: Final = 3
"""Characters of a secret of which it can be told whether a text repeats it."""
_LONGEST_QUOTE: Final = 200


@dataclass(frozen=True, slots=True, repr=False)
class Location:
    """A URL. `path` and `query` are percent-encoded, all else is not; `port` is None where the URL has none, `user` and
    `password` are None where it has none."""

    scheme: str
    """In small letters: http, https, ftp, ftps, sftp."""
    host: str
    """A name or an address, without brackets."""
    port: int | None
    path: str
    query: str = ""
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str) -> "Location":
        """Raises TransferError with BAD_URL, whose text quotes nothing of the URL."""
        problem = _problem_with(url)
        if problem:
            raise TransferError(TransferFailure.BAD_URL, f"the URL {problem}")
        parts = urlsplit(url)
        try:
            host, port = _host(parts.hostname or ""), parts.port
        except ValueError:
            host, port = "", None
        if not host or port == 0:
            raise TransferError(TransferFailure.BAD_URL, "the URL has no usable host and port")
        return cls(
            parts.scheme.lower(),
            host,
            port,
            quote(parts.path, safe=_SAFE),
            quote(parts.query, safe=_SAFE + "?"),
            None if parts.username is None else _decoded(parts.username),
            None if parts.password is None else _decoded(parts.password),
        )

    @property
    def port_or_default(self) -> int:
        """0 where the scheme has no port of its own."""
        return self.port or DEFAULT_PORTS.get(self.scheme, 0)

    @property
    def authority(self) -> str:
        """Host and port as HTTP's Host has them: no port where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port_or_default == DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port_or_default}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Whom the credentials are for."""
        return self.scheme, self.host.lower(), self.port_or_default

    @property
    def decoded_path(self) -> str:
        """The path without percent signs. Raises TransferError if it hides control characters."""
        return _decoded(self.path)

    @property
    def is_folder(self) -> bool:
        """Does it say of itself that it is one?"""
        return not self.path or self.path.endswith("/")

    @property
    def fingerprint(self) -> str:
        """What tells it from other locations, without telling what it is; credentials do not count."""
        text = f"{self.scheme}://{self.host.lower()}:{self.port_or_default}{self.path}?{self.query}"
        return sha256(text.encode()).hexdigest()

    def within(self, name: str) -> "Location":
        """The file of this name in the folder that this is."""
        return replace(self, path=f"{self.path.rstrip('/')}/{quote(name, safe='')}")

    def redirected(self, target: str) -> "Location":
        """Where a server points to. Credentials stay with whom they are for. Raises TransferError."""
        base = f"{self.scheme}://{self.authority}{self.path or '/'}" + (f"?{self.query}" if self.query else "")
        try:
            found = Location.parse(urljoin(base, target))
        except (ValueError, TransferError) as error:
            why = f": {error}" if isinstance(error, TransferError) else ""
            raise TransferError(TransferFailure.REDIRECTED, f"{self} redirects to what is no URL{why}") from None
        if found.user is None and found.origin == self.origin:
            return replace(found, user=self.user, password=self.password)
        return found

    def quoted(self, text: str) -> str:
        """What a server said, harmless, and not if it repeats a secret of the URL."""
        lower = text.lower()
        if any(secret.lower() in lower for secret in self._secrets()):
            return HIDDEN
        return shown(redacted_prose(text), _LONGEST_QUOTE)

    def _secrets(self) -> list[str]:
        found = []
        if self.user is not None:
            pair = f"{self.user}:{self.password or ''}".encode()
            found += [b64encode(pair).decode(), self.user, quote(self.user, safe="")]
        if self.password:
            found += [self.password, quote(self.password, safe="")]
        if self.query:
            values = [part.partition("=")[2] or part for part in self.query.split("&")]
            found += [self.query, *values, *map(unquote, values)]
        return [secret for secret in found if len(secret) >= _SHORTEST_SECRET or secret == self.password]

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        query = f"?{HIDDEN}" if self.query else ""
        return shown(f"{self.scheme}://{host}{port}{self.path}") + query

    __repr__ = __str__


def _problem_with(url: object) -> str:
    if not isinstance(url, str):
        return "must be text"
    if not url or len(url) > LONGEST_URL:
        return f"must have 1 to {LONGEST_URL:,} characters"
    if any(not character.isprintable() or character.isspace() for character in url):
        return "has a space, a control character or a character that is no Unicode character"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "has no usable host and port"
    if not parts.scheme or "://" not in url:
        return "must begin with a scheme, as in https://"
    return ""


def _host(name: str) -> str:
    """As it goes on the wire (RFC 5891). Raises ValueError."""
    if name.isascii():
        return name
    return name.encode("idna").decode()


def _decoded(text: str) -> str:
    """Without percent signs; what they hide must not end a line of FTP, nor be other text than was written."""
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise TransferError(TransferFailure.BAD_URL, "the URL has a %-sequence that is no UTF-8") from None
    if any(character < " " or character == "\x7f" for character in decoded):
        raise TransferError(TransferFailure.BAD_URL, "the URL has a %-sequence that is a control character")
    return decoded
