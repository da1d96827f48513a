"""Lets the benchmarks import the payloads and the peers that stand beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
