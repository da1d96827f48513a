"""A folder that `ocpp16 pki` made, as a Central System uses it: the authority of certificates towards cars."""

from pathlib import Path
from time import time
from typing import Final

from ocpp16.cli.failure import CommandFailed
from ocpp16.regular_file import read_regular
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.plug_and_charge import PlugAndChargeAnswers

ROOT: Final = "ca/v2g/V2G_ROOT_CA.pem"
KEY: Final = "authorities/V2G_ROOT_CA.key"
LEAVES: Final = "client/cso"
LONGEST: Final = 64 * 1024
"""Bytes of one file."""
MOST_LEAVES: Final = 1_000
EARLIER: Final = 60.0
"""Seconds before now from which what is signed is valid: clocks differ."""


class V2gLaboratory:
    """Raises CommandFailed where the folder has no such authority."""

    def __init__(self, folder: Path) -> None:
        from ocpp16.security.certificate import certificates_in  # cryptography only where it is asked for
        from ocpp16.security.lab_pki import Authority

        try:
            root, key = (read_regular(folder / place, LONGEST).decode() for place in (ROOT, KEY))
            self._v2g = Authority.loaded(root, key, time() - EARLIER)
            leaves = sorted((folder / LEAVES).glob("*.pem"))[:MOST_LEAVES]
            self._known = [one for path in leaves for one in certificates_in(read_regular(path, LONGEST))[:1]]
        except OSError as error:
            raise CommandFailed(
                f"--pki: {error.filename or folder}: {error.strerror or error}; `ocpp16 pki --v2g` makes one"
            ) from error
        except (ValueError, TypeError) as error:
            raise CommandFailed(f"--pki: {folder}: no root of V2G with its key") from error

    def join(self, central: CentralSystem) -> None:
        """From now on it answers for this authority."""
        answers = PlugAndChargeAnswers(central, self._v2g)
        for one in self._known:
            answers.know(format(one.serial_number, "x"), one.pem)
