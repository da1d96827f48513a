"""What of the files that were made here is of no use any more. Files of others are never among it, nor is a key or
certificate that could still be used."""

from collections.abc import Collection, Iterable
from pathlib import Path

from ocpp16.security.certificate_files import CertificateFiles, FileChange
from ocpp16.security.leaf_folder import LeafFolder
from ocpp16.security.private_keys import digest_of
from ocpp16.security.store_rules import DAY, StoreRules

__all__ = ["aged", "half_made"]


def aged(
    files: CertificateFiles, folder: LeafFolder, rules: StoreRules, now: float, spared: Collection[Path] = ()
) -> list[FileChange]:
    """What to delete in a folder of certificates and that of their keys.

    `spared`: keys that are not too old, whatever their names say: the clock may have been set since they were made.
    """
    leaves = folder.leaves()
    # Those that can be used now come first, then the newest: there is always one to go back to.
    leaves.sort(key=lambda leaf: (not leaf.certificate.is_valid_at(now), -leaf.certificate.expires_at))
    gone = [
        leaf
        for place, leaf in enumerate(leaves)
        if (place >= rules.most_leaves or (place > 0 and leaf.certificate.expires_at < now - rules.leaf_age))
        and all(folder.is_ours(path) for path in leaf.paths)
    ]
    changes = [FileChange(path, None) for leaf in gone for path in leaf.paths]
    wanted = {digest_of(leaf.certificate.key) for leaf in leaves if leaf not in gone}
    over = {digest_of(leaf.certificate.key) for leaf in gone} - wanted
    waiting = []
    for path in folder.key_files():
        digest = path.stem.rpartition("_")[2]
        if not folder.is_ours(path) or digest in wanted:
            continue
        if digest in over:
            changes.append(FileChange(path, None))
        else:
            waiting.append((path in spared, folder.made_at(path) or 0.0, path))
    waiting.sort(reverse=True)
    changes += [
        FileChange(path, None)
        for place, (is_spared, made_at, path) in enumerate(waiting)
        if place >= rules.most_waiting_keys or (made_at < now - rules.key_age and not is_spared)
    ]
    return changes + half_made(files, folder.temporary(), now)


def half_made(files: CertificateFiles, paths: Iterable[Path], now: float) -> list[FileChange]:
    """What to delete of files that a power cut left half made."""
    states = ((path, files.state(path)) for path in paths)
    return [FileChange(path, None) for path, state in states if state is not None and state.modified_at < now - DAY]
