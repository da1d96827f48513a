"""All that is done in a long run, by drivers, mechanics, host and Central System: `ACTS`, with their weights."""

from collections.abc import Callable

from in_force import profile_set, put
from long_run_configuration import CONNECTORS, KEYS
from long_run_requests import (
    availability,
    cancel,
    change_key,
    change_key_badly,
    charging_profile,
    clear_cache,
    clear_profiles,
    composite,
    data_transfer,
    full_list,
    is_patient,
    list_difference,
    list_version,
    new_tag,
    old_list,
    read_keys,
    remote_start,
    remote_stop,
    reserve,
    reset,
    set_profile,
    transaction_profile,
    trigger,
    unlock,
)
from long_run_site import Site

CAR = {"plug_after": 0, "draw_after": 0}


# Drivers and mechanics


def plug_in(site: Site) -> None:
    """A car that leaves by itself, or does not."""
    connector = site.random.choice(CONNECTORS)
    site.staying.discard(connector)
    site.program.send("plug_in", connector=connector, draw_for=site.random.choice((0.5, 2, 1e6)), **CAR)


def unplug(site: Site) -> None:
    connector = site.random.choice(CONNECTORS)
    site.staying.discard(connector)
    site.program.send("unplug", connector=connector)


def arrive(site: Site) -> None:
    """A car and a card, where nobody charges."""
    free = [connector for connector in CONNECTORS if connector not in site.running]
    if free:
        connector = site.random.choice(free)
        site.program.send("unplug", connector=connector)
        site.staying.discard(connector)
        if stays := site.random.random() < 0.5:
            site.staying.add(connector)
        site.program.send("plug_in", connector=connector, draw_for=1e6 if stays else 1, **CAR)
        _show(site, _for_connector(site, connector), connector)


def card(site: Site) -> None:
    """Of whom charges there, of whom it is reserved for, or of somebody new.

    Who charges shows it only while the car stays: else its transaction may be over, and another one of the same card
    begin, which could not be told from a repeat.
    """
    connector = site.random.choice(CONNECTORS)
    event = site.running.get(connector)
    if event is not None and connector in site.staying and site.random.random() < 0.7:
        _show(site, event["id_tag"], connector)
    else:
        _show(site, _for_connector(site, connector), connector)


def _for_connector(site: Site, connector: int) -> str:
    guests = [tag for where, tag in site.reserved.values() if where in (0, connector) and tag not in site.spent]
    return site.random.choice(guests) if guests and site.random.random() < 0.5 else new_tag(site)


def _show(site: Site, tag: str, connector: int) -> None:
    """From here on its reservation may be used up at any time."""
    site.spent.add(tag)
    for number, (_, owner) in site.reserved.items():
        if owner == tag:
            site.subject(f"reservation_{number}").may_have(put(None), f"{tag} may use it")
    site.program.send("present_id_tag", id_tag=tag, connectors=[connector])


def fault(site: Site) -> None:
    connector = site.random.choice((0, *CONNECTORS))
    site.program.send("raise_fault", connector=connector, error="GroundFailure", fault=site.random.random() < 0.5)
    if site.random.random() < 0.8:
        site.program.send("clear_fault", connector=connector, error="GroundFailure")


def security_event(site: Site) -> None:
    site.program.send("security_event", type="SettingSystemTime")


def host_data_transfer(site: Site) -> None:
    site.program.send("data_transfer", vendor_id="vendor", message_id="m", data="x" * site.random.choice((1, 5000)))


def dead_letters(site: Site) -> None:
    site.program.send("resend_dead_letters")


def discard_readings(site: Site) -> None:
    """Dead letters of which nobody misses one; all others are sent again in the end."""
    letters = [one["sequence"] for one in site.program.do("dead_letters") if one["action"] == "MeterValues"]
    if letters:
        site.program.send("discard_dead_letters", sequences=letters)


def change_key_here(site: Site) -> None:
    key = site.random.choice(list(KEYS))
    value = site.random.choice(KEYS[key])
    effects = {f"key_{key}": (put(value), value)}
    site.change_here("change_configuration", wait=is_patient(site), effects=effects, key=key, value=value)


def change_availability_here(site: Site) -> None:
    connector = site.random.choice(CONNECTORS)
    kind = site.random.choice(("Operative", "Operative", "Inoperative"))
    effects = {f"availability_{connector}": (put(kind), kind)}
    site.change_here("change_availability", wait=is_patient(site), effects=effects, connector=connector, kind=kind)


def reserve_here(site: Site) -> None:
    tag, connector = new_tag(site), site.random.choice(CONNECTORS)
    number = site.numbers
    site.reserved[number] = (connector, tag)
    subject = f"reservation_{number}"
    site.subject(subject, None)
    effects = {subject: (put((connector, tag)), f"at {connector}")}
    # Longer than any clock is wrong: until the Central System has told the time, that of the machine decides.
    members = {"connector": connector, "id_tag": tag, "reservation_id": number, "seconds": 10_000_000}
    site.change_here("reserve", wait=is_patient(site), effects=effects, **members)


def cancel_here(site: Site) -> None:
    if site.reserved:
        number = site.random.choice(list(site.reserved))
        effects = {f"reservation_{number}": (put(None), "cancelled")}
        site.change_here("cancel_reservation", wait=is_patient(site), effects=effects, reservation_id=number)


def set_profile_here(site: Site) -> None:
    connector, number, level = (
        site.random.choice((0, *CONNECTORS)),
        site.random.randint(1, 6),
        site.random.randint(0, 2),
    )
    profile = charging_profile(site, number, "TxDefaultProfile", level)
    effect = profile_set((number, connector, "TxDefaultProfile", level))
    effects = {"profiles": (effect, f"set {number} at {connector} level {level}")}
    site.change_here(
        "set_charging_profile", wait=is_patient(site), effects=effects, connector=connector, profile=profile
    )


def link_down(site: Site) -> None:
    site.program.send("disconnect")
    site.program.send("connect")


Acts = tuple[tuple[int, Callable[[Site], None]], ...]

CHANGES: Acts = (
    (2, reserve),
    (1, cancel),
    (1, full_list),
    (1, list_difference),
    (2, change_key),
    (2, set_profile),
    (1, clear_profiles),
    (1, availability),
    (1, change_key_here),
    (1, change_availability_here),
    (1, reserve_here),
    (1, set_profile_here),
)
"""What has to be on disk when it is answered."""

ACTS: Acts = (
    (4, plug_in),
    (2, unplug),
    (16, arrive),
    (6, card),
    (1, fault),
    (1, security_event),
    (1, host_data_transfer),
    (1, dead_letters),
    (1, discard_readings),
    (1, change_key_here),
    (1, change_availability_here),
    (1, reserve_here),
    (1, cancel_here),
    (1, set_profile_here),
    (1, link_down),
    (3, remote_start),
    (2, remote_stop),
    (1, unlock),
    (4, reserve),
    (2, cancel),
    (3, full_list),
    (3, list_difference),
    (1, old_list),
    (1, clear_cache),
    (8, change_key),
    (1, change_key_badly),
    (1, read_keys),
    (5, set_profile),
    (1, transaction_profile),
    (2, clear_profiles),
    (1, composite),
    (3, availability),
    (2, reset),
    (3, trigger),
    (1, data_transfer),
    (1, list_version),
)
