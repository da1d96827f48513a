"""`python -m ocpp16` is the `ocpp16` command."""

import sys

if __name__ == "__main__":
    try:
        from ocpp16.cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(main())
