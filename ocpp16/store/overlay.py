"""The configuration that was changed at run time, as files: a JSON overlay, and the secrets in one beside it.

It reads and writes two-level documents (section → key → JSON value, `null` removes a key) and does not know what the
keys mean: `configuration.configuration` merges them over the main configuration.

Rules of this file:
1. A file is replaced as a whole: temporary file, fsync, rename, fsync of the folder. The overlay's generation before
   is kept as `.bak`. Where the path is a symbolic link, all this happens to the file it points to.
2. A file that does not parse, or is far too large, is kept aside as `.damaged`, with a warning, and `.bak` takes its
   place. A missing file is an empty overlay: deleting it is the way back to the main configuration.
3. Content that did not change is not written: flash is spared. Only what was written counts as being there.
4. Secrets are in the file of mode 0600 only, and have no `.bak`: an old key shall not lie about.
"""

import errno
import os
from codecs import BOM_UTF8
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from ocpp16.durable_file import sync_folder, write_synced
from ocpp16.errors import StoreError
from ocpp16.regular_file import read_regular
from ocpp16.store.json_text import json_text

Document: TypeAlias = dict[str, dict[str, Any]]

_SECRET_MODE = 0o600
_MODE = 0o644

_TOO_LARGE = b"(too large)"
"""Stands for what is in a file of more bytes than any of ours has; like it, it is no JSON."""


class _Known:
    """What is known of one file: `handed` was proposed last, `written` is its content (None: not certain)."""

    __slots__ = ("handed", "written")

    def __init__(self, text: bytes) -> None:
        self.handed: bytes = text
        self.written: bytes | None = text


class TextFileWrite:
    """A `FileWrite`: the whole content of one file.

    Parameters: `mode` of a new file; a secret file (no access for others) is always set to it. `keeps_previous`: the
    content before is kept as `.bak`.
    """

    __slots__ = ("_file", "_known", "_mode", "_steps", "content", "keeps_previous", "target")

    def __init__(
        self, target: Path, content: bytes, mode: int, *, keeps_previous: bool, known: _Known | None = None
    ) -> None:
        self.target: Path = target
        self.content: bytes = content
        self.keeps_previous: bool = keeps_previous
        self._mode = mode
        self._known = known
        self._file = target
        self._steps: list[tuple[Path, Path]] = []

    def prepare(self) -> None:
        """Write the content beside the file, unless it is there already."""
        self._file = file = real_path(self.target)
        present = _content(file)
        if present == self.content:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        # What does not parse is no generation worth keeping.
        if self.keeps_previous and present is not None and _parsed(present) is not None:
            self._steps.append((_linked(file, present, self._mode), _sibling(file, ".bak")))
        temporary = _sibling(file, ".tmp")
        self._steps.append((temporary, file))
        _write_beside(temporary, self.content, self._mode, like=file)

    def finish(self) -> None:
        """Give it the name."""
        if self._known is not None:
            self._known.written = None
        for source, name in self._steps:
            os.replace(source, name)
        if self._steps:
            sync_folder(self._file.parent)
        if self._mode == _SECRET_MODE:
            _restrict(self._file)
        if self._known is not None:
            self._known.written = self.content

    def drop(self) -> None:
        """Remove what was prepared."""
        for source, _ in self._steps:
            with suppress(OSError):
                source.unlink(missing_ok=True)

    def write(self) -> None:
        """All at once. Raises OSError."""
        try:
            self.prepare()
            self.finish()
        except BaseException:
            self.drop()
            raise


class Overlay:
    """The overlay at `path`, read when made; the secrets are at `secrets_path`, by default `<path>.secrets`.

    `document` and `secrets` are what the files hold, `warnings` what was wrong with them, in sentences. Reading blocks;
    it may move files and copy `.bak` back. Raises StoreError when something is there but cannot be read, as a folder:
    that is somebody's, and may be much more than our overlay.
    """

    __slots__ = ("_known", "_known_secrets", "document", "path", "secrets", "secrets_path", "warnings")

    def __init__(self, path: Path | str, secrets_path: Path | str | None = None) -> None:
        self.path: Path = Path(path).absolute()
        self.secrets_path: Path = (
            Path(secrets_path).absolute() if secrets_path is not None else _sibling(self.path, ".secrets")
        )
        warnings: list[str] = []
        self.document: Document = _load(real_path(self.path), warnings, may_go_back=True)
        self.secrets: Document = _load(real_path(self.secrets_path), warnings, may_go_back=False)
        if self.secrets and _is_open_to_others(self.secrets_path):
            try:
                _restrict(self.secrets_path)
                outcome = "its mode was set to 0600"
            except OSError as error:  # a file system that is read-only, or a file of somebody else
                outcome = f"its mode could not be changed ({error.strerror})"
            warnings.append(f"{self.secrets_path.name} could be read by others; {outcome}")
        self.warnings: tuple[str, ...] = tuple(warnings)
        self._known = _Known(_text(self.document))
        self._known_secrets = _Known(_text(self.secrets))

    def drop_unfinished(self) -> None:
        """Remove what a power cut left of a write: an old or a new secret shall not lie about.

        For who writes the files, and nobody else. Blocks.
        """
        for path in (real_path(self.path), real_path(self.secrets_path)):
            for suffix in (".tmp", ".bak.tmp"):
                with suppress(OSError):
                    _sibling(path, suffix).unlink(missing_ok=True)

    def merged(self) -> Document:
        """Overlay and secrets as one document."""
        merged = {section: dict(keys) for section, keys in self.document.items()}
        for section, keys in self.secrets.items():
            merged.setdefault(section, {}).update(keys)
        return merged

    def changes(
        self, overrides: Mapping[str, Mapping[str, Any]], secrets: Mapping[str, Mapping[str, Any]]
    ) -> list[TextFileWrite]:
        """The writes, for `FileKeeper`, that make the files hold exactly this; none for a file that stays as it is.

        A file stays as it is when it is known to hold this, and nothing else was asked of it since.
        Parameters: both are section → key → JSON value, complete, not only what is new. Raises ValueError when a value
        is no JSON.
        """
        writes = []
        text, secret_text = _text(overrides), _text(secrets)
        for known, content, path, mode in (
            (self._known_secrets, secret_text, self.secrets_path, _SECRET_MODE),
            (self._known, text, self.path, _MODE),
        ):
            if not known.handed == known.written == content:
                known.handed = content
                keeps_previous = mode != _SECRET_MODE
                writes.append(TextFileWrite(path, content, mode, keeps_previous=keeps_previous, known=known))
        return writes


def real_path(path: Path) -> Path:
    """The file that is meant: what a symbolic link points to, there or not."""
    return Path(os.path.realpath(path))


def _text(document: Mapping[str, Mapping[str, Any]]) -> bytes:
    sections = {section: dict(keys) for section, keys in document.items() if keys}
    return json_text(
        sections, "the configuration", orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    )


def _load(path: Path, warnings: list[str], *, may_go_back: bool) -> Document:
    try:
        text = _content(path)
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise StoreError(f"{path} cannot be read: {error.strerror}") from error
        text = _TOO_LARGE
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
    text = None
    if may_go_back:
        with suppress(OSError):  # of no use then
            text = _content(previous)
    document = _parsed(text) if text is not None else None
    kept = f"it was kept as {aside.name}"
    try:
        if text is None or document is None:
            os.replace(path, aside)
        else:
            # Not moved: a power cut now must not leave an empty overlay.
            if unreadable is _TOO_LARGE:
                aside.unlink(missing_ok=True)
                os.link(path, aside)
            else:
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
    """The document; a byte order mark, as some editors write it, is none of it."""
    try:
        document = orjson.loads(text.removeprefix(BOM_UTF8))
        orjson.dumps(document)  # nested too deeply, it could not be written again
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return document if isinstance(document, dict) else None


def _sibling(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _content(path: Path) -> bytes | None:
    """What is in a file; None if there is none. Raises OSError, also for what is no file: a pipe would never end."""
    try:
        return read_regular(path)
    except FileNotFoundError:
        return None


def _linked(file: Path, present: bytes, mode: int) -> Path:
    """A second name for the file that is there: costs no write, and there is no moment without the file."""
    link = _sibling(file, ".bak.tmp")
    link.unlink(missing_ok=True)
    try:
        os.link(file, link)
    except OSError:  # a file system without hard links
        _write_beside(link, present, mode, like=file)
    return link


def _write_beside(temporary: Path, content: bytes, mode: int, *, like: Path) -> None:
    # Who may read it was somebody's decision; who may read secrets is ours.
    write_synced(temporary, content, mode, like=None if mode == _SECRET_MODE else like)


def _replace(path: Path, content: bytes, mode: int) -> None:
    temporary = _sibling(path, ".tmp")
    _write_beside(temporary, content, mode, like=path)
    os.replace(temporary, path)
    sync_folder(path.parent)


def _is_open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o077)


def _restrict(path: Path) -> None:
    with suppress(FileNotFoundError):
        if _is_open_to_others(path):
            path.chmod(_SECRET_MODE)
