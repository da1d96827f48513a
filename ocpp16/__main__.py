"""`python -m ocpp16` is the `ocpp16` command."""

import sys

from ocpp16.cli import main

if __name__ == "__main__":
    sys.exit(main())
