"""The configuration that was changed at run time, as files: a JSON overlay, and the secrets in one beside it.

It reads and writes two-level documents (section → key → JSON value, `null` removes a key) and does not know what the
keys mean: `state.configuration` merges them over the main configuration.

Rules of this file:
1. A file is replaced as a whole: temporary file, fsync, rename, fsync of the folder. The overlay's generation before
   is kept as `.bak`.
2. A file that does not parse is kept aside as `.damaged`, with a warning, and `.bak` takes its place. A missing file is
   an empty overlay: deleting it is the way back to the main configuration.
3. Content that did not change is not written: flash is spared.
4. Secrets are in the file of mode 0600 only, and have no `.bak`: an old key shall not lie about.
"""

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from ocpp16.errors import StoreError

Document: TypeAlias = dict[str, dict[str, Any]]

_SECRET_MODE = 0o600
_MODE = 0o644


@dataclass(frozen=True, slots=True)
class TextFileWrite:
    """A `FileWrite` for the journal: the whole content of one file."""

    target: Path
    content: bytes
    mode: int
    """Of a new file; a secret file (no access for others) is always set to it."""
    keeps_previous: bool

    def write(self) -> None:
        """Replace the file durably, unless it has that content already."""
        present = _read(self.target)
        if present == self.content:
            if self.mode == _SECRET_MODE:
                _restrict(self.target)
            return
        self.target.parent.mkdir(parents=True, exist_ok=True)
        if self.keeps_previous and present is not None:
            self._keep_previous(present)
        _replace(self.target, self.content, self.mode)

    def _keep_previous(self, present: bytes) -> None:
        # A second name for the file that is there costs no write, and there is no moment without it. What does not
        # parse is no generation worth keeping.
        if _parsed(present) is None:
            return
        previous = _sibling(self.target, ".bak")
        link = _sibling(self.target, ".bak.tmp")
        link.unlink(missing_ok=True)
        try:
            os.link(self.target, link)
        except OSError:  # a file system without hard links
            _replace(previous, present, self.mode)
        else:
            os.replace(link, previous)


class Overlay:
    """The overlay at `path`, read when made; the secrets are at `secrets_path`, by default `<path>.secrets`.

    `document` and `secrets` are what the files hold, `warnings` what was wrong with them, in sentences. Reading blocks;
    it may move files and copy `.bak` back. Raises StoreError when a file is there but cannot be read.
    """

    __slots__ = ("_secrets_written", "_written", "document", "path", "secrets", "secrets_path", "warnings")

    def __init__(self, path: Path | str, secrets_path: Path | str | None = None) -> None:
        self.path = Path(path).absolute()
        self.secrets_path = (
            Path(secrets_path).absolute() if secrets_path is not None else _sibling(self.path, ".secrets")
        )
        warnings: list[str] = []
        self.document = _load(self.path, warnings, may_go_back=True)
        self.secrets = _load(self.secrets_path, warnings, may_go_back=False)
        if self.secrets and _is_open_to_others(self.secrets_path):
            warnings.append(f"{self.secrets_path.name} could be read by others; its mode was set to 0600")
            _restrict(self.secrets_path)
        self.warnings = tuple(warnings)
        self._written = _text(self.document)
        self._secrets_written = _text(self.secrets)

    def merged(self) -> Document:
        """Overlay and secrets as one document."""
        merged = {section: dict(keys) for section, keys in self.document.items()}
        for section, keys in self.secrets.items():
            merged.setdefault(section, {}).update(keys)
        return merged

    def changes(
        self, overrides: Mapping[str, Mapping[str, Any]], secrets: Mapping[str, Mapping[str, Any]]
    ) -> list[TextFileWrite]:
        """The writes, for `Journal.append`, that make the files hold exactly this; none for a file that stays as it is.

        Parameters: both are section → key → JSON value, complete, not only what is new. Raises TypeError when a value
        is no JSON.
        """
        writes = []
        text, secret_text = _text(overrides), _text(secrets)
        if secret_text != self._secrets_written:
            writes.append(TextFileWrite(self.secrets_path, secret_text, _SECRET_MODE, keeps_previous=False))
        if text != self._written:
            writes.append(TextFileWrite(self.path, text, _MODE, keeps_previous=True))
        self._written, self._secrets_written = text, secret_text
        return writes


def _text(document: Mapping[str, Mapping[str, Any]]) -> bytes:
    sections = {section: dict(keys) for section, keys in document.items() if keys}
    return orjson.dumps(sections, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _load(path: Path, warnings: list[str], *, may_go_back: bool) -> Document:
    text = _read(path)
    if text is None:
        return {}
    document = _parsed(text)
    if document is None:
        document = _go_back(path, text, warnings, may_go_back=may_go_back)
    sections = {}
    for section, keys in document.items():
        if isinstance(keys, dict):
            sections[section] = keys
        else:
            warnings.append(f"{path.name}: {section} is no section and was ignored")
    return sections


def _go_back(path: Path, unreadable: bytes, warnings: list[str], *, may_go_back: bool) -> dict[str, Any]:
    aside, previous = _sibling(path, ".damaged"), _sibling(path, ".bak")
    text = _read(previous) if may_go_back else None
    document = _parsed(text) if text is not None else None
    kept = f"it was kept as {aside.name}"
    try:
        if text is None or document is None:
            os.replace(path, aside)
        else:
            # Not moved: a power cut now must not leave an empty overlay.
            _replace(aside, unreadable, _MODE)
            _replace(path, text, _MODE)
    except OSError as error:
        kept = f"it could not be set aside ({error.strerror})"
    if document is None:
        warnings.append(f"{path.name} is not readable as JSON, {kept}; what it had changed is lost")
        return {}
    warnings.append(f"{path.name} is not readable as JSON, {kept}; {previous.name} took its place")
    return document


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def _sibling(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error


def _replace(path: Path, content: bytes, mode: int) -> None:
    temporary = _sibling(path, ".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        if mode != _SECRET_MODE:
            # Who may read it was somebody's decision.
            with suppress(FileNotFoundError):
                os.fchmod(descriptor, stat.S_IMODE(path.stat().st_mode))
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _is_open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o077)


def _restrict(path: Path) -> None:
    if _is_open_to_others(path):
        path.chmod(_SECRET_MODE)
