"""The command by which a report says how to make a load test of the same kind."""

import shlex

import click

from ocpp16.cli import load as load_module
from ocpp16.cli.again import MADE_OF, again

ELSEWHERE = {
    *("json_path", "html_path", "junit_path", "metrics_port", "trace", "traced", "trace_mib"),
    *("web", "web_host", "web_token", "web_open", "locust_master", "locust_worker", "worker", "more"),
    *("verbose", "log_level"),
}
"""Of where results go, and of other ways to work."""
COMMAND = load_module.load


def told(text: str) -> str:
    with COMMAND.make_context("load", shlex.split(text)) as context:
        return again(context)


def test_what_it_was_made_of_is_told_as_it_was_given() -> None:
    given = (
        "--csms ws://csms.example/ocpp --charge-points 40 --connectors 2 --scenario ./town.toml --set 'card=A B'"
        " --set x=1 --duration 0.5 --rate 300 --arrivals 1.5 --speed 2 --processes 2 --threshold 'all.p99 < 1s'"
        " --seed 7 --blueprint dc-50kw --id 'S{number}' --key Core.HeartbeatInterval=5 --source-address 127.0.0.1"
    )
    assert told(f"{given} --json x.json --trace y --web 0") == f"ocpp16 load {given}"
    assert told("--csms ws://h/o") == "ocpp16 load --csms ws://h/o"


def test_secrets_are_not_told() -> None:
    given = "--password QUITESECRET --key Security.AuthorizationKey=QUITESECRET --key Custom.Pin=QUITESECRET"
    found = told(f"--csms ws://user:QUITESECRET@h/o {given}")
    assert "QUITESECRET" not in found
    assert "--key 'Security.AuthorizationKey=…'" in found


def test_no_option_is_forgotten() -> None:
    names = {option.name for option in COMMAND.params if isinstance(option, click.Parameter)}
    assert set(MADE_OF) < names
    assert names - set(MADE_OF) == ELSEWHERE
