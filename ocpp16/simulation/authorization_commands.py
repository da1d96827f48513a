"""Handlers of the commands about who may charge: the latest decisions, the local list, the authorization cache."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from ocpp16.contracts import ContractAuthorization
from ocpp16.models import IdTagInfo
from ocpp16.simulation.charging_commands import time_text
from ocpp16.simulation.contract_car import contract_of
from ocpp16.simulation.controlled import Controlled


async def authorize(on: Controlled, id_tag: str) -> dict[str, Any]:
    """The decision, with who made it and why."""
    on.require_running()
    return _decided(await on.charge_point.authorize_id_token(id_tag))


async def authorize_contract(on: Controlled, contract: str, emaid: str | None) -> dict[str, Any]:
    """The decision on a contract, with who made it and why."""
    on.require_running()
    found = contract_of(contract, emaid)
    return {
        "emaid": found.emaid,
        **contract_decided(await on.charge_point.plug_and_charge.data_transfer_pnc_authorize(found.emaid, found.chain)),
    }


def contract_decided(found: ContractAuthorization) -> dict[str, Any]:
    """As JSON has it."""
    until = found.id_token_info.cache_expiry_date_time
    return {
        "status": str(found.id_token_info.status),
        "certificate_status": None if found.certificate_status is None else str(found.certificate_status),
        "cache_expiry_date_time": time_text(until),
        "source": found.source,
        "rule": found.rule,
        "key": found.key or None,
        "reason": found.reason or None,
    }


def why(on: Controlled) -> list[dict[str, Any]]:
    """The latest decisions, the oldest first."""
    return [
        {
            "time": time_text(decision.at),
            "id_tag": decision.id_tag,
            **_decided(decision.id_tag_info),
        }
        for decision in on.charge_point.for_station.authorization.decisions
    ]


def local_list(on: Controlled, most: int) -> dict[str, Any]:
    """`version` is that of GetLocalListVersion."""
    authorization = on.charge_point.for_station.authorization
    return {"version": authorization.local_list_version, **_entries(authorization.local_list, most)}


def cache(on: Controlled, most: int) -> dict[str, Any]:
    """What was not used for longest comes first."""
    return _entries(on.charge_point.for_station.authorization.cache, most)


async def clear_cache(on: Controlled) -> str:
    return "Accepted" if await on.charge_point.for_station.authorization.clear_cache() else "Rejected"


def why_not_cleared(on: Controlled) -> str:
    return "AuthorizationCacheEnabled is not on"


def _entries(entries: Mapping[str, IdTagInfo], most: int) -> dict[str, Any]:
    shown = [{"id_tag": id_tag, **_told(info)} for id_tag, info in islice(entries.items(), most)]
    return {"count": len(entries), "entries": shown}


def _decided(info: IdTagInfo) -> dict[str, Any]:
    return {**_told(info), "source": info.source, "rule": info.rule, "key": info.key or None}


def _told(info: IdTagInfo) -> dict[str, Any]:
    return {"status": str(info.status), "expiry_date": time_text(info.expiry_date), "parent_id_tag": info.parent_id_tag}
