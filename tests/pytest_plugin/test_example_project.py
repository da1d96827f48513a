"""The example project of the documentation: its tests pass, and what is wrong in its Central System makes them fail."""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "central-system-tests"
PAGE = Path(__file__).parents[2] / "docs" / "pytest.md"


@pytest.fixture
def example(project: Any) -> Any:
    shutil.copytree(EXAMPLE, project.folder, dirs_exist_ok=True)
    (project.folder / "pytest.ini").unlink()
    return project


def test_its_tests_pass(example: Any) -> None:
    assert example.run("-n", "2", plugins=("xdist",)) == {"passed": 7, "code": 0}, example.text


@pytest.mark.parametrize(
    ("old", "new", "test", "told", "timeout"),
    [
        pytest.param(
            '"Accepted" if id_tag in KNOWN_CARDS else "Invalid"',
            '"Accepted"',
            "test_an_unknown_card_does_not",
            "AssertionError: assert 'Accepted' == 'Invalid'",
            30,
            id="everybody may charge",
        ),
        pytest.param(
            "self.csms.energy[transaction_id] += meter_stop\n        return call_result.StopTransaction()",
            "return call_result.StopTransaction(id_tag_info={'status': 'ConcurrentTx', 'expiryDate': 'soon'})",
            "test_a_known_card_charges",
            "error of the Central System, rule schema (OCPP 1.6 6, 7): ",
            30,
            id="a date that is none",
        ),
        pytest.param(
            "    def on_stop(self",
            "    async def on_stop(self, **_: object) -> call_result.StopTransaction:\n"
            "        await asyncio.sleep(5)\n\n"
            "    def never(self",
            "test_a_known_card_charges",
            "was sent, but the Central System has not answered it within 3 s",
            3,
            id="no answer",
        ),
        pytest.param(
            'status="Accepted")',
            'status="Pending")',
            "test_ten_at_once",
            "10 of 10 charge points were not accepted within 1 s:",
            1,
            id="nobody is accepted",
        ),
        pytest.param(
            "await session.start()",
            "await connection.recv()\n            await connection.close()",
            "test_a_remote_start",
            "an accepted BootNotification was not seen within 1 s; it is not connected",
            1,
            id="connections are closed",
        ),
    ],
)
def test_what_is_wrong_is_found(example: Any, old: str, new: str, test: str, told: str, timeout: int) -> None:
    program = example.folder / "central_system.py"
    text = program.read_text()
    assert text.count(old) == 1
    program.write_text(text.replace(old, new))
    outcome = example.run("-k", test, f"--ocpp16-timeout={timeout}", "--ocpp16-trace-dir=traces")
    assert outcome["failed"] == 1, example.text
    assert told in example.text
    assert list((example.folder / "traces").iterdir())


def test_its_ci_installs_and_runs_what_it_says() -> None:
    workflow = (EXAMPLE / ".github" / "workflows" / "tests.yml").read_text()
    assert 'python -m pip install ".[test]"' in workflow
    assert "--ocpp16-trace-dir=report/traces" in workflow
    extras = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {word.split(">")[0] for word in extras["test"]} == {"ocpp16", "pytest", "pytest-asyncio", "pytest-xdist"}


@pytest.mark.parametrize("name", ["central_system.py", "tests/conftest.py", ".github/workflows/tests.yml"])
def test_the_page_shows_what_is_there(name: str) -> None:
    """What the page quotes of the project is in it, line by line."""
    lines = (EXAMPLE / name).read_text().splitlines()
    quoted = PAGE.read_text().split(f"<!-- {name} -->\n")[1:]
    assert quoted, f"nothing of {name} is on the page"
    for block in quoted:
        shown = block.split("```", 2)[1].splitlines()[1:]
        assert [line for line in shown if line and line not in lines] == []


def programs() -> list[str]:
    """The examples of the page that are no quotations."""
    found = re.findall(r"(?<!-->\n)^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return ["import pytest\n\n" + text for text in found]


def test_the_examples_of_the_page_run(example: Any) -> None:
    """In the project, each in a file of its own; those without a loop against the program."""
    shutil.rmtree(example.folder / "tests")
    from_outside = (EXAMPLE / "tests" / "test_from_outside.py").read_text().partition("def test_")[0]
    in_loop = (EXAMPLE / "tests" / "conftest.py").read_text()
    example.write("tests/in_loop/conftest.py", in_loop)
    example.write("tests/outside/conftest.py", from_outside.replace("parents[1]", "parents[2]"))
    uses_a_fixture = "\n\ndef test_the_fixture_of_the_page(charge_point):\n    assert charge_point.is_connected\n"
    for number, text in enumerate(programs()):
        kind = "in_loop" if "async def" in text else "outside"
        own = "" if "def test_" in text else uses_a_fixture
        example.write(f"tests/{kind}/test_page_{kind}_{number}.py", text + own)
    assert len(programs()) >= 5
    assert example.run() == {"passed": len(programs()), "code": 0}, example.text
