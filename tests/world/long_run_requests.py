"""What the Central System asks for in a long run: one function for each request, by whose answer it may wait."""

from typing import Any

from in_force import list_update, profile_set, profiles_cleared, put
from long_run_configuration import CONNECTORS, KEYS
from long_run_site import Site

EXPIRY = "2099-01-01T00:00:00Z"


def new_tag(site: Site) -> str:
    """That of a new driver, which may be on the local list already (`_list_entries`)."""
    site.numbers += 1
    return f"TAG{site.numbers}"


def is_patient(site: Site) -> bool:
    return site.random.random() < site.patience


def remote_start(site: Site) -> None:
    payload: dict[str, Any] = {"idTag": new_tag(site)}
    if site.random.random() < 0.8:
        payload["connectorId"] = site.random.choice(CONNECTORS)
        if site.random.random() < 0.3:
            payload["chargingProfile"] = charging_profile(site, 90, "TxProfile", 0)
    site.ask("RemoteStartTransaction", payload, wait=is_patient(site))


def remote_stop(site: Site) -> None:
    known = [event["transaction_id"] for event in site.running.values() if event.get("transaction_id") is not None]
    site.ask("RemoteStopTransaction", {"transactionId": site.random.choice([*known, *known, 999_999])})


def unlock(site: Site) -> None:
    site.ask("UnlockConnector", {"connectorId": site.random.choice(CONNECTORS)}, wait=is_patient(site))


def reserve(site: Site) -> None:
    """A new one, or the same for another connector."""
    connector = site.random.choice((0, *CONNECTORS))
    others = [(number, tag) for number, (_, tag) in site.reserved.items() if tag not in site.spent]
    if others and site.random.random() < 0.2:
        number, tag = site.random.choice(others)
    else:
        tag = new_tag(site)
        number = site.numbers
    payload = {"connectorId": connector, "expiryDate": EXPIRY, "idTag": tag, "reservationId": number}
    site.reserved[number] = (connector, tag)
    subject = f"reservation_{number}"
    site.subject(subject, None)
    site.ask("ReserveNow", payload, wait=is_patient(site), **{subject: (put((connector, tag)), f"at {connector}")})


def cancel(site: Site) -> None:
    if site.reserved:
        number = site.random.choice(list(site.reserved))
        site.ask(
            "CancelReservation",
            {"reservationId": number},
            wait=is_patient(site),
            **{f"reservation_{number}": (put(None), "cancelled")},
        )


def _list_entries(site: Site) -> dict[str, str]:
    """Drivers that may come next."""
    count = site.random.choice((0, 1, 5, 100))
    first = site.numbers + 1
    return {
        f"TAG{number}": site.random.choice(("Accepted", "Accepted", "Blocked"))
        for number in range(first, first + count)
    }


def _send_list(site: Site, entries: dict[str, str | None], *, is_full: bool) -> None:
    site.numbers += 1
    version = site.numbers
    kind = "Full" if is_full else "Differential"
    wire = [
        {"idTag": tag} if status is None else {"idTag": tag, "idTagInfo": {"status": status}}
        for tag, status in entries.items()
    ]
    site.ask(
        "SendLocalList",
        {"listVersion": version, "updateType": kind, "localAuthorizationList": wire},
        wait=is_patient(site),
        local_list=(list_update(version, entries, is_full=is_full), f"{kind} {version}"),
    )


def full_list(site: Site) -> None:
    _send_list(site, dict(_list_entries(site)), is_full=True)


def list_difference(site: Site) -> None:
    entries: dict[str, str | None] = dict(_list_entries(site))
    entries |= {f"TAG{site.random.randint(1, site.numbers + 1)}": None for _ in range(3)}
    _send_list(site, entries, is_full=False)


def old_list(site: Site) -> None:
    """Its version is not above the last one: it changes nothing."""
    site.ask("SendLocalList", {"listVersion": 0, "updateType": "Full", "localAuthorizationList": []})


def clear_cache(site: Site) -> None:
    site.ask("ClearCache", {}, wait=is_patient(site))


def change_key(site: Site) -> None:
    key = site.random.choice(list(KEYS))
    value = site.random.choice(KEYS[key])
    site.ask(
        "ChangeConfiguration",
        {"key": key, "value": value},
        wait=is_patient(site),
        **{f"key_{key}": (put(value), value)},
    )


def change_key_badly(site: Site) -> None:
    """A value that no key of these takes: nothing changes."""
    site.ask("ChangeConfiguration", {"key": site.random.choice(list(KEYS)), "value": "-1,x"})


def read_keys(site: Site) -> None:
    site.ask("GetConfiguration", {"key": site.random.sample(list(KEYS), 3)} if site.random.random() < 0.5 else {})


def charging_profile(site: Site, number: int, purpose: str, level: int) -> dict[str, Any]:
    kind = {"chargingProfileKind": "Relative"} if purpose == "TxProfile" else {"chargingProfileKind": "Absolute"}
    periods = [{"startPeriod": place * 60, "limit": site.random.choice((6.0, 16.0, 32.0))} for place in range(5)]
    schedule: dict[str, Any] = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    if purpose != "TxProfile":
        schedule["startSchedule"] = "2025-01-01T00:00:00Z"
    return {
        "chargingProfileId": number,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        **kind,
        "chargingSchedule": schedule,
    }


def set_profile(site: Site) -> None:
    purpose = site.random.choice(("ChargePointMaxProfile", "TxDefaultProfile", "TxDefaultProfile"))
    connector = 0 if purpose == "ChargePointMaxProfile" else site.random.choice((0, *CONNECTORS))
    number, level = site.random.randint(1, 6), site.random.randint(0, 2)
    site.ask(
        "SetChargingProfile",
        {"connectorId": connector, "csChargingProfiles": charging_profile(site, number, purpose, level)},
        wait=is_patient(site),
        profiles=(profile_set((number, connector, purpose, level)), f"set {number} at {connector} level {level}"),
    )


def transaction_profile(site: Site) -> None:
    """For whom charges now."""
    known = [event for event in site.running.values() if event.get("transaction_id") is not None]
    if known:
        event = site.random.choice(known)
        profile = charging_profile(site, 80 + event["connector"], "TxProfile", 0)
        profile["transactionId"] = event["transaction_id"]
        site.ask("SetChargingProfile", {"connectorId": event["connector"], "csChargingProfiles": profile})


def clear_profiles(site: Site) -> None:
    number = site.random.randint(1, 6)
    payload, effect = site.random.choice(
        (
            ({"id": number}, profiles_cleared(number)),
            ({"id": number}, profiles_cleared(number)),
            ({"chargingProfilePurpose": "TxDefaultProfile"}, profiles_cleared(purpose="TxDefaultProfile")),
            ({}, profiles_cleared()),
        )
    )
    site.ask("ClearChargingProfile", payload, wait=is_patient(site), profiles=(effect, f"clear {payload}"))


def composite(site: Site) -> None:
    site.ask("GetCompositeSchedule", {"connectorId": site.random.choice((0, *CONNECTORS)), "duration": 600})


def availability(site: Site) -> None:
    """Out of service seldom, or nobody would charge."""
    connector = site.random.choice((0, *CONNECTORS))
    kind = site.random.choice(("Operative", "Operative", "Inoperative"))
    concerned = CONNECTORS if connector == 0 else (connector,)
    site.ask(
        "ChangeAvailability",
        {"connectorId": connector, "type": kind},
        wait=is_patient(site),
        **{f"availability_{number}": (put(kind), kind) for number in concerned},
    )


def reset(site: Site) -> None:
    site.ask("Reset", {"type": site.random.choice(("Soft", "Hard"))}, wait=is_patient(site))


def trigger(site: Site) -> None:
    message = site.random.choice(("BootNotification", "Heartbeat", "StatusNotification", "MeterValues"))
    payload: dict[str, Any] = {"requestedMessage": message}
    if message in ("StatusNotification", "MeterValues") and site.random.random() < 0.5:
        payload["connectorId"] = site.random.choice(CONNECTORS)
    site.ask("TriggerMessage", payload, wait=is_patient(site))


def data_transfer(site: Site) -> None:
    site.ask("DataTransfer", {"vendorId": "vendor", "data": "y"}, wait=is_patient(site))


def list_version(site: Site) -> None:
    site.ask("GetLocalListVersion", {})
