"""`python ocpp16/_core/codegen [--check]`: write all generated files, or say which committed ones are stale."""

import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    if not __package__:
        sys.path[0] = str(HERE.parent)  # run as a folder, Python put the folder itself there
    outputs = import_module("codegen.outputs")
    root = HERE.parents[2]
    if arguments:
        for path in (stale := outputs.stale(root)):
            print(f"stale: {path.relative_to(root)}")
        return 1 if stale else 0
    for path in [*outputs.write(root, built=True), *outputs.write(root, built=False)]:
        print(path.relative_to(root))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
