"""The long run of tests/world/test_kills.py: the charge point's command killed many times, on one folder after another.

    python benchmarks/kill_rounds.py [--kills 50] [--rounds 1] [--seed 1]

Every round has a folder, a Central System and a seed of its own. Prints a line a round; exit code 1 if the Central
System missed anything or saw anything twice. A round that fails leaves its folder, with the traffic in it.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "world"))

import kill_campaign
import programs
import transaction_check


def run(seed: int, kills: int) -> bool:
    """One round. True if all is well."""
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    began = time.monotonic()
    with programs.CentralSystemProgram() as csms:
        storm = kill_campaign.Campaign(programs, transaction_check, csms, folder, seed)
        try:
            storm.run(kills)
            problems = storm.problems + csms.objections
        except AssertionError as error:
            problems = [*storm.problems, str(error)]
        requests = Counter(request.action for request in storm.requests)
        traffic = "\n".join(json.dumps(line) for line in csms.lines)
    print(
        f"seed {seed}: {storm.kills} kills in {time.monotonic() - began:.0f} s, {len(storm.facts)} transactions told, "
        f"{requests['StartTransaction']} starts, {requests['MeterValues']} readings and "
        f"{requests['StopTransaction']} ends received, {len(problems)} problems",
        flush=True,
    )
    if not problems:
        shutil.rmtree(folder)
        return True
    (folder / "traffic.jsonl").write_text(traffic)
    print(f"  see {folder}", *problems, sep="\n  ", flush=True)
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    results = [run(options.seed + number, options.kills) for number in range(options.rounds)]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
