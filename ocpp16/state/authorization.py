"""May this id tag charge? The ladder of local authorization list, cache, Central System and offline rules.

Rules of this file (OCPP 1.6 ed. 2 §3.5, §9.1):
1. Pure: what is known comes in, a decision with its reason comes out. Looking up, asking and storing are the feature
   profile's work. A decision without info means: ask the Central System.
2. An entry past its expiry date counts as Expired, in the list and in the cache.
3. The list beats the cache: a listed tag's cache entry is not looked at. List and cache count only if they are enabled.
4. Connected, local knowledge can only say yes (LocalPreAuthorize); for any other answer the Central System is asked.
5. Not connected, a tag that is known as not accepted is refused whatever the keys say: AllowOfflineTxForUnknownId is
   for tags nobody knows. An accepted one needs LocalAuthorizeOffline, or goes as an unknown one.
6. Id tags are compared without regard to case: look up by `id_tag_key`.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from ocpp16.enums import AuthorizationStatus
from ocpp16.models import IdTagInfo
from ocpp16.state.clock import to_micros


class AuthorizationRules(NamedTuple):
    """The values of the configuration keys of the same names; an absent optional key is False."""

    local_pre_authorize: bool
    local_authorize_offline: bool
    local_auth_list_enabled: bool
    authorization_cache_enabled: bool
    allow_offline_tx_for_unknown_id: bool


class Decision(NamedTuple):
    """`info` is the answer, None to ask the Central System; `why` says which rule decided, for logs and people."""

    info: IdTagInfo | None
    why: str


LISTED = "local authorization list"
CACHED = "authorization cache"
NOT_ACCEPTED_LOCALLY = "known locally, but not as accepted: ask"
NOT_KNOWN_LOCALLY = "not known locally: ask"
NOT_ASKED_LOCALLY = "LocalPreAuthorize is off: ask"
UNKNOWN_ALLOWED = "offline, AllowOfflineTxForUnknownId is on"
UNKNOWN_REFUSED = "offline, nothing allows this tag"
NO_USABLE_ANSWER = "the Central System gave no usable answer"

_INVALID = IdTagInfo(AuthorizationStatus.INVALID)

_COUNTS_AS_OFFLINE: Mapping[str, bool] = MappingProxyType(
    {
        "offline": True,
        "timeout": True,
        "connection lost": True,
        "stopped": True,
        "callerror": False,
        "unreadable": False,
    }
)
"""`CallFailed.reason` of an Authorize → does the offline rule apply? Else the Central System spoke, but not clearly."""


def id_tag_key(id_tag: str) -> str:
    """What to look an id tag up by: IdToken is a case-insensitive type (OCPP 1.6 ed. 2 §7.28)."""
    return id_tag.casefold()


def decide(
    *, is_connected: bool, rules: AuthorizationRules, listed: IdTagInfo | None, cached: IdTagInfo | None, now: int
) -> Decision:
    """Decide on an id tag with what the charge point knows itself.

    Parameters: `is_connected`: connected and accepted, so that the Central System could be asked; `listed`, `cached`:
    the tag's entry in the local authorization list and the authorization cache, None without one; `now`: µs UTC.
    """
    known, source = _known(rules, listed, cached, now)
    if is_connected:
        if not rules.local_pre_authorize:
            return Decision(None, NOT_ASKED_LOCALLY)
        if known is None:
            return Decision(None, NOT_KNOWN_LOCALLY)
        return Decision(known, source) if known.is_accepted else Decision(None, NOT_ACCEPTED_LOCALLY)
    if known is not None and (rules.local_authorize_offline or not known.is_accepted):
        return Decision(known, source)
    if rules.allow_offline_tx_for_unknown_id:
        return Decision(IdTagInfo(AuthorizationStatus.ACCEPTED), UNKNOWN_ALLOWED)
    return Decision(_INVALID, UNKNOWN_REFUSED)


def decide_unanswered(
    reason: str, *, rules: AuthorizationRules, listed: IdTagInfo | None, cached: IdTagInfo | None, now: int
) -> Decision:
    """Decide after Authorize got no confirmation; `reason` is that of `CallFailed`. Never says to ask again.

    No answer at all is as good as no connection. An answer that is an error, or unreadable, is no permission.
    """
    if _COUNTS_AS_OFFLINE.get(reason, False):
        return decide(is_connected=False, rules=rules, listed=listed, cached=cached, now=now)
    return Decision(_INVALID, NO_USABLE_ANSWER)


def at_present(info: IdTagInfo, now: int) -> IdTagInfo:
    """`info` as it holds at `now` (µs UTC): an accepted tag past its expiry date is Expired."""
    if info.is_accepted and info.expiry_date is not None and to_micros(info.expiry_date) <= now:
        return replace(info, status=AuthorizationStatus.EXPIRED)
    return info


def _known(
    rules: AuthorizationRules, listed: IdTagInfo | None, cached: IdTagInfo | None, now: int
) -> tuple[IdTagInfo | None, str]:
    if rules.local_auth_list_enabled and listed is not None:
        return at_present(listed, now), LISTED
    if rules.authorization_cache_enabled and cached is not None:
        return at_present(cached, now), CACHED
    return None, ""
