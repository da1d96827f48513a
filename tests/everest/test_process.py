"""The module as EVerest's manager runs it: a process of its own, module.py, a signal at its end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from everest_interfaces import needs_interfaces
from everest_site import Site
from host_faces import TIMEOUT, Server

from ocpp16.everest import lay

WORLD = Path(__file__).resolve().parents[1] / "world"
FRAMEWORK = """
import sys, threading
sys.path.insert(0, {world!r})
from everest_double import Everest
_everest = Everest({share!r}, config={config!r})
vars().update({{name: value for name, value in vars(_everest.framework).items() if not name.startswith("__")}})

def _live():
    _everest.all_ready()
    _everest.evses_ready()
    _everest.wait_published("ocpp_generic", "boot_notification_response")
    sys.stdout.write("registered\\n")
    sys.stdout.flush()

threading.Thread(target=_live, daemon=True).start()
threading.Thread(target=threading.Event().wait).start()  # the framework's threads never end
"""


@needs_interfaces
@pytest.mark.world
def test_the_module_runs_and_ends_by_a_signal(server: Server, tmp_path: Path) -> None:
    """Whatever threads of the framework go on. It keeps what the framework's Module refers to: the double looks."""
    lay(tmp_path / "modules" / "OCPP16")
    here = Site(server, tmp_path)  # for its configuration; it does not begin
    package = tmp_path / "python" / "everest"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    text = FRAMEWORK.format(world=str(WORLD), share=here.everest.share, config=here.everest.config)
    (package / "framework.py").write_text(text)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package.parent), *sys.path])}
    program = [sys.executable, str(tmp_path / "modules" / "OCPP16" / "module.py")]
    process = subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "registered\n"
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors
        server.do(server.system.wait_disconnected, "CP1")
    finally:
        process.kill()
        process.wait()
        here.everest.close()


def test_a_signal_in_the_middle_of_starting_threads_ends_it() -> None:
    """Where a handler that needs a lock would wait for the very thread it interrupts."""
    program = """
import os, signal, threading
from ocpp16.everest.signals import ended_by_signals
over = threading.Event()
with ended_by_signals(over.set):
    threading.Thread(target=lambda: [os.kill(os.getpid(), signal.SIGTERM) for _ in range(300)]).start()
    while not over.is_set():
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
print("over")
"""
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=TIMEOUT)
        assert (done.returncode, done.stdout) == (0, "over\n"), done.stderr


def test_a_framework_that_does_not_take_it_is_said(tmp_path: Path) -> None:
    """As one that is started by hand."""
    package = tmp_path / "everest"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "framework.py").write_text(
        "Module = dict\n\ndef RuntimeSession():\n    raise RuntimeError('EV_MODULE needed')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    program = [sys.executable, "-c", "import sys; from ocpp16.everest import main; sys.exit(main())"]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 1
    assert "EV_MODULE needed" in done.stderr
    assert "Traceback" not in done.stderr


@needs_interfaces
def test_the_log_is_everests(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import logging

    from ocpp16.everest.everest_log import forwarded

    here = Site(server, tmp_path)
    with forwarded(here.everest.framework.log):
        for level in (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
            logging.getLogger("ocpp16").log(level, "at %s", level)
    logging.getLogger("ocpp16").error("not any more")
    assert here.everest.log == [("info", "at 20"), ("warning", "at 30"), ("error", "at 40"), ("critical", "at 50")]
    here.everest.close()
