"""Run with the whole library: a Central System to which the interpreter of a station, the argument, has to report.

What runs there is the charge point of README.md: it boots, charges for a second on a database, and delivers all of it.
"""

import re
import sys
import tempfile
from pathlib import Path

import trio

from ocpp16.testing import CentralSystem

README = Path(__file__).resolve().parents[2] / "README.md"
EXPECTED = ("BootNotification", "Authorize", "StartTransaction", "StopTransaction")


def program(port: int) -> str:
    found = re.search(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    last = '        charge_point.on_session_stopped(1, "session-1")\n'
    text = found[1].replace("127.0.0.1:9000", f"127.0.0.1:{port}").replace("trio.sleep(10)", "trio.sleep(1)")
    assert text.count(last) == 1
    assert str(port) in text
    return text.replace(last, last + "        await charge_point.wait_all_answered()\n")


async def main(station: str) -> None:
    with trio.fail_after(300), tempfile.TemporaryDirectory() as folder:
        async with CentralSystem() as csms:
            port = await csms.listen("127.0.0.1")
            await trio.run_process([station, "-c", program(port)], cwd=folder)
            missing = [action for action in EXPECTED if not csms.calls(action)]
            if missing:
                sys.exit(f"the station did not send {', '.join(missing)}")


trio.run(main, sys.argv[1])
