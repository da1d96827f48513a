"""Changes in two steps: what was checked, what is to be written, what is in force; and what waits for a reboot."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16.configuration.configuration import Configuration, Prepared
from ocpp16.configuration.custom_keys import CustomKeys
from ocpp16.configuration.file import merged
from ocpp16.configuration.keys.core import (
    HEARTBEAT_INTERVAL,
    METER_VALUES_ALIGNED_DATA,
    METER_VALUES_SAMPLED_DATA,
    NUMBER_OF_CONNECTORS,
)
from ocpp16.configuration.keys.cost_and_price import DEFAULT_PRICE_TEXT
from ocpp16.configuration.keys.internal import ICCID, KEY_ACCESS, SUPPORTED_MEASURANDS
from ocpp16.configuration.keys.security import AUTHORIZATION_KEY
from ocpp16.enums import ConfigurationStatus

IDENTITY = {"ChargePointId": "c", "CentralSystemURI": "u", "ChargePointModel": "m", "ChargePointVendor": "v"}
ACCEPTED, REJECTED = ConfigurationStatus.ACCEPTED, ConfigurationStatus.REJECTED
REBOOT, NOT_SUPPORTED = ConfigurationStatus.REBOOT_REQUIRED, ConfigurationStatus.NOT_SUPPORTED
PASSWORD, OTHER = "0001020304050607" + "ff" * 12, "aa" * 16
WRITABLE = {"NumberOfConnectors": "RW", "SupportedMeasurands": "RW"}
PRICES = {"SupportedLanguages": "en,nl,de", "CustomMultiLanguageMessages": True}


def load(overlay: dict[str, Any] | None = None, **sections: dict[str, Any]) -> Configuration:
    internal = {**IDENTITY, "KeyAccess": WRITABLE, **sections.pop("Internal", {})}
    document = {"Internal": internal, "CostAndPrice": PRICES, **sections}
    return Configuration.load(document, overlay=overlay or {}, custom=CustomKeys())


def snapshot(config: Configuration) -> Any:
    return config.report(), config.overrides, config.secrets, config[AUTHORIZATION_KEY], list(config.warnings)


# --- two steps


def test_preparing_changes_nothing_and_says_what_to_write() -> None:
    config = load()
    before = snapshot(config)
    prepared = config.prepare_change("heartbeatinterval", "300")
    assert prepared.change.status == ACCEPTED
    assert (prepared.change.wire_name, prepared.change.value) == ("HeartbeatInterval", 300)
    assert (prepared.old_text, prepared.new_text) == ("86400", "300")
    assert prepared.overrides == {"Core": {"HeartbeatInterval": 300}}
    assert prepared.secrets == {}
    assert snapshot(config) == before
    assert prepared.apply().status == ACCEPTED
    assert config[HEARTBEAT_INTERVAL] == 300
    assert config.overrides == prepared.overrides == {"Core": {"HeartbeatInterval": 300}}


def test_a_secret_is_written_apart_and_has_no_text() -> None:
    config = load()
    prepared = config.prepare_change("AuthorizationKey", PASSWORD)
    assert prepared.secrets == {"Security": {"AuthorizationKey": f"hex:{PASSWORD}"}}
    assert prepared.overrides == {}
    assert (prepared.old_text, prepared.new_text) == (None, None)
    assert PASSWORD not in repr(prepared)
    assert config[AUTHORIZATION_KEY] is None
    prepared.apply()
    assert config[AUTHORIZATION_KEY] == bytes.fromhex(PASSWORD)


def test_what_was_not_written_is_not_in_force_then_or_later() -> None:
    config = load(Security={"AuthorizationKey": f"hex:{OTHER}"})
    before = snapshot(config)
    with config.prepare_change("AuthorizationKey", PASSWORD) as prepared:
        assert config.secrets == prepared.secrets == {"Security": {"AuthorizationKey": f"hex:{PASSWORD}"}}
        assert config[AUTHORIZATION_KEY] == bytes.fromhex(OTHER)
    assert snapshot(config) == before


@pytest.mark.parametrize(
    ("name", "text", "status"), [("Nothing", "1", NOT_SUPPORTED), ("HeartbeatInterval", "-1", REJECTED)]
)
def test_what_is_not_accepted_cannot_be_applied(name: str, text: str, status: ConfigurationStatus) -> None:
    config = load()
    before = snapshot(config)
    prepared = config.prepare_change(name, text)
    assert prepared.change.status == status
    assert prepared.overrides == prepared.secrets == {}
    with pytest.raises(ValueError, match=r"at least|unknown"), prepared:
        prepared.apply()
    assert snapshot(config) == before


@pytest.mark.parametrize("bad", [None, 5, b"text", True])
def test_names_and_values_are_texts(bad: Any) -> None:
    with pytest.raises(ValueError, match="name must be text"):
        load().change(bad, "1")
    with pytest.raises(ValueError, match="text must be text"):
        load().change("HeartbeatInterval", bad)


def test_applying_twice_is_applying_once() -> None:
    config = load()
    prepared = config.prepare_set(ICCID, "8949")
    prepared.apply()
    config.change("HeartbeatInterval", "5")
    config.set(ICCID, None)
    assert prepared.apply().status == ACCEPTED
    assert config[ICCID] is None


def test_applying_checks_again_what_was_changed_meanwhile() -> None:
    config = load(Core={"MeterValuesSampledData": "", "MeterValuesAlignedData": ""})
    narrower = config.prepare_change("SupportedMeasurands", "Voltage")
    assert narrower.change.is_accepted
    config.change("MeterValuesSampledData", "SoC")
    before = snapshot(config)
    with pytest.raises(ValueError, match="does not go with MeterValuesSampledData"):
        narrower.apply()
    assert snapshot(config) == before
    config.change("MeterValuesSampledData", "")
    assert narrower.apply().status == REBOOT
    assert narrower.is_applied


def test_a_reset_is_prepared_like_a_change() -> None:
    config = load({"Core": {"HeartbeatInterval": 5}})
    prepared = config.prepare_reset(HEARTBEAT_INTERVAL)
    assert (config[HEARTBEAT_INTERVAL], prepared.overrides) == (5, {})
    assert (prepared.old_text, prepared.new_text) == ("5", "86400")
    prepared.apply()
    assert config[HEARTBEAT_INTERVAL] == 86_400
    assert config.prepare_reset(HEARTBEAT_INTERVAL).change.is_unchanged


# --- several under way


def test_documents_of_what_is_under_way_build_on_one_another() -> None:
    config = load()
    with config.prepare_change("AuthorizationKey", PASSWORD) as password:
        config.set(HEARTBEAT_INTERVAL, 7)  # as the answer to BootNotification does
        assert config.secrets == password.secrets
        with config.prepare_set(ICCID, "8949") as card:
            assert card.secrets == password.secrets != {}
            assert card.overrides == {"Core": {"HeartbeatInterval": 7}, "Internal": {"ICCID": "8949"}}
            card.apply()
        password.apply()
    assert config[AUTHORIZATION_KEY] == bytes.fromhex(PASSWORD)
    assert config[ICCID] == "8949"


def language(config: Configuration, name: str, text: str) -> Prepared:
    return config.prepare_change(f"DefaultPriceText,{name}", f'{{"priceText":"{text}"}}')


def texts(config: Configuration) -> dict[str, str]:
    return {row["language"]: row["priceText"] for row in (config[DEFAULT_PRICE_TEXT] or {}).get("priceTexts", ())}


@pytest.mark.parametrize("is_first_kept", [True, False])
@pytest.mark.parametrize("first_ends_first", [True, False])
def test_two_entries_of_one_key_under_way(is_first_kept: bool, first_ends_first: bool) -> None:
    config = load()
    one = language(config, "en", "dear")
    one.__enter__()
    other = language(config, "nl", "duur")
    other.__enter__()
    assert other.change.value["priceTexts"] == [
        {"priceText": "dear", "language": "en"},
        {"priceText": "duur", "language": "nl"},
    ]
    if not first_ends_first:
        other.apply()
        other.__exit__(None, None, None)
    if is_first_kept:
        one.apply()
    one.__exit__(None, None, None)
    if first_ends_first:
        other.apply()
        other.__exit__(None, None, None)
    assert texts(config).get("nl") == "duur"
    if is_first_kept:
        assert texts(config) == {"en": "dear", "nl": "duur"}
    elif first_ends_first:
        assert texts(config) == {"nl": "duur"}


def test_the_same_change_twice_under_way_is_written_twice() -> None:
    config = load()
    with config.prepare_change("HeartbeatInterval", "5"):
        again = config.prepare_change("HeartbeatInterval", "5")
        assert not again.change.is_unchanged  # the first one is not on the disk yet
        assert again.old_text == "86400"


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["prepare", "apply", "leave", "set"]),
        st.integers(0, 3),
        st.sampled_from(
            [
                ("MeterValuesSampledData", "Voltage"),
                ("MeterValuesSampledData", "SoC"),
                ("SupportedMeasurands", "Voltage"),
                ("SupportedMeasurands", "Voltage,SoC"),
                ("MeterValuesAlignedData", ""),
                ("NumberOfConnectors", "3"),
                ("NumberOfConnectors", "1"),
                ("ConnectorPhaseRotation", "3.RST"),
                ("DefaultPriceText,en", '{"priceText":"dear"}'),
                ("DefaultPriceText,nl", '{"priceText":"duur"}'),
                ("AuthorizationKey", PASSWORD),
            ]
        ),
    ),
    max_size=12,
)


@settings(derandomize=True, deadline=None, database=None)
@given(OPERATIONS)
def test_whatever_overlaps_ends_as_one_after_another(operations: list[tuple[str, int, tuple[str, str]]]) -> None:
    config = load()
    slots: dict[int, Prepared] = {}
    for operation, slot, (name, text) in operations:
        if operation == "prepare" and slot not in slots:
            slots[slot] = config.prepare_change(name, text).__enter__()
        elif operation == "set":
            config.change(name, text)
        elif operation in ("apply", "leave") and slot in slots:
            prepared = slots.pop(slot)
            before = snapshot(config)
            if operation == "apply":
                try:
                    prepared.apply()
                except ValueError:
                    assert config.report() == before[0]
            prepared.__exit__(None, None, None)
        for prepared in slots.values():
            for document in (prepared.overrides, prepared.secrets):
                assert load(document).warnings == []
    for prepared in slots.values():
        prepared.__exit__(None, None, None)
    assert config.under_way == ()
    overlay = merged(config.overrides, config.secrets)
    again = load(overlay)
    assert again.warnings == []
    assert again.report() == config.after_reboot().report()
    assert again[AUTHORIZATION_KEY] == config[AUTHORIZATION_KEY]


# --- what waits for a reboot


def test_a_key_that_needs_a_reboot_keeps_its_value_for_every_reader() -> None:
    config = load()
    for _ in range(2):
        change = config.change("NumberOfConnectors", "3")
        assert change.status == REBOOT
        assert config[NUMBER_OF_CONNECTORS] == 1
        assert config.text("numberofconnectors") == "1"
        assert config.report(["NumberOfConnectors"])[0][0].get("value") == "1"
        assert config.change("ConnectorPhaseRotation", "3.RST").status == REJECTED
        assert config.origin("NumberOfConnectors") == "default"
        assert config.is_pending(NUMBER_OF_CONNECTORS)
        assert config.overrides == {"Core": {"NumberOfConnectors": 3}}
    assert change.is_unchanged
    assert not config.is_pending(HEARTBEAT_INTERVAL)


def test_what_waits_is_taken_back_by_the_value_in_force() -> None:
    config = load()
    config.change("NumberOfConnectors", "3")
    back = config.change("NumberOfConnectors", "1")
    assert back.status == ACCEPTED
    assert not back.is_unchanged
    assert config.overrides == {}
    assert not config.is_pending(NUMBER_OF_CONNECTORS)
    assert config.change("NumberOfConnectors", "1").is_unchanged


def test_rules_hold_now_and_after_the_reboot() -> None:
    config = load()
    config.change("MeterValuesAlignedData", "Voltage")
    config.change("MeterValuesSampledData", "Voltage")
    assert config.change("SupportedMeasurands", "Voltage,RPM").status == REBOOT
    assert config.change("MeterValuesSampledData", "RPM").status == REJECTED  # not yet
    assert config.change("MeterValuesSampledData", "SoC").status == REJECTED  # not any more
    assert config.change("MeterValuesSampledData", "").status == ACCEPTED
    rebooted = config.after_reboot()
    assert rebooted.change("MeterValuesSampledData", "RPM").status == ACCEPTED
    assert rebooted.change("MeterValuesSampledData", "SoC").status == REJECTED


def test_after_the_reboot_it_is_in_force_and_the_other_one_is_as_it_was() -> None:
    config = load(Security={"AuthorizationKey": f"hex:{OTHER}"})
    config.built_profiles = frozenset({"Core"})
    config.change("NumberOfConnectors", "3")
    config.change("HeartbeatInterval", "5")
    rebooted = config.after_reboot()
    assert rebooted[NUMBER_OF_CONNECTORS] == 3
    assert rebooted[HEARTBEAT_INTERVAL] == 5
    assert rebooted.built_profiles == frozenset({"Core"})
    assert rebooted.overrides == config.overrides
    assert rebooted.origin("NumberOfConnectors") == "runtime"
    assert not rebooted.is_pending(NUMBER_OF_CONNECTORS)
    assert rebooted.change("NumberOfConnectors", "3").status == ACCEPTED
    rebooted.change("HeartbeatInterval", "6")
    assert config[NUMBER_OF_CONNECTORS] == 1
    assert config[HEARTBEAT_INTERVAL] == 5
    config.reboot()
    assert config[NUMBER_OF_CONNECTORS] == 3
    assert config[HEARTBEAT_INTERVAL] == 5


def test_the_host_sees_and_removes_what_waits() -> None:
    config = load()
    assert config.set(NUMBER_OF_CONNECTORS, 4).status == REBOOT
    assert config.reset(NUMBER_OF_CONNECTORS).status == ACCEPTED
    assert config.overrides == {}
    config.set(SUPPORTED_MEASURANDS, ("Energy.Active.Import.Register",))
    assert config[SUPPORTED_MEASURANDS] != ("Energy.Active.Import.Register",)
    assert config.after_reboot()[SUPPORTED_MEASURANDS] == ("Energy.Active.Import.Register",)


def test_what_the_next_start_would_ignore_is_not_set() -> None:
    config = load()
    change = config.set(KEY_ACCESS, {"HeartbeatIntervall": "RO"})
    assert change.status == REJECTED
    assert "there is no such key" in change.reason


# --- texts by name


def test_texts_by_the_name_on_the_wire() -> None:
    config = load(Internal={"MeterPublicKeys": ["first"]}, Security={"AuthorizationKey": f"hex:{OTHER}"})
    assert config.text("METERVALUESSAMPLEDDATA") == "Energy.Active.Import.Register"
    assert config.text("MeterPublicKey1") == "first"
    assert config.text("AuthorizationKeyForm") == "Hex"  # hidden from the Central System, not from the host
    for name in ("AuthorizationKey", "Nothing", "MeterPublicKey2", "MeterPublicKeys", "ICCID", "LightIntensity"):
        assert config.text(name) is None
    prepared = language(config, "nl", "duur")
    assert (prepared.old_text, prepared.new_text) == ("", '{"priceText":"duur"}')
    prepared.apply()
    assert config.text("DefaultPriceText,NL") == '{"priceText":"duur"}'


@pytest.mark.parametrize(("before", "after"), [("1", "true"), ("true", "1"), ("0", "false"), ('{"a":1}', '{"a":true}')])
def test_a_number_is_not_a_truth_value(before: str, after: str) -> None:
    schema = CustomKeys({"type": "object", "properties": {"any": {"type": ["integer", "boolean", "object"]}}})
    main = {"Internal": IDENTITY, "Custom": {"any": 7}}
    config = Configuration.load(main, custom=schema)
    config.change("any", before)
    assert not config.change("any", after).is_unchanged
    assert config.text("any") == after
    assert Configuration.load(main, overlay=config.overrides, custom=schema).text("any") == after


def test_lists_that_were_taken_from_others_do_not_change_with_them() -> None:
    config = load()
    rebooted = config.after_reboot()
    config.change("MeterValuesSampledData", "SoC")
    assert rebooted[METER_VALUES_SAMPLED_DATA] == ("Energy.Active.Import.Register",)
    assert rebooted[METER_VALUES_ALIGNED_DATA] == config[METER_VALUES_ALIGNED_DATA]
