"""Which texts of a price are shown (California pricing note): those of the station's own language first, then others.

Without CustomMultiLanguageMessages there is the one text, of Language; with it those of SupportedLanguages besides.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ocpp16.configuration.keys import cost_and_price as keys
from ocpp16.prices import DisplayMessageContent, TariffMessage, is_supported
from ocpp16.profiles.context import Context


def own_language(ctx: Context) -> str | None:
    return ctx.configuration[keys.LANGUAGE]


def sent_texts(ctx: Context, texts: Sequence[DisplayMessageContent]) -> tuple[DisplayMessageContent, ...]:
    """Those of a message that are to be shown: the first has the station's language, if it names none."""
    return tuple(_sent(ctx, texts))


def _sent(ctx: Context, texts: Sequence[DisplayMessageContent]) -> Iterator[DisplayMessageContent]:
    for one in texts:
        if one.language is None:
            yield DisplayMessageContent(one.message, own_language(ctx), one.message_format)
        elif _is_shown(ctx, one.language):
            yield one


def _is_shown(ctx: Context, language: str) -> bool:
    configuration = ctx.configuration
    return configuration[keys.CUSTOM_MULTI_LANGUAGE_MESSAGES] and is_supported(
        language, configuration[keys.SUPPORTED_LANGUAGES]
    )


def default_texts(ctx: Context, *, is_online: bool) -> tuple[DisplayMessageContent, ...]:
    """Those of DefaultPrice and DefaultPriceText, for a station that is connected, or not."""
    member = "priceText" if is_online else "priceTextOffline"
    found: list[DisplayMessageContent] = []
    default = ctx.configuration[keys.DEFAULT_PRICE]
    if default is not None and default.get(member):
        found.append(DisplayMessageContent(default[member], own_language(ctx)))
    others: list[dict[str, Any]] = (ctx.configuration[keys.DEFAULT_PRICE_TEXT] or {}).get("priceTexts", [])
    found += (
        DisplayMessageContent(other[member], other["language"])
        for other in others
        if other.get(member) and _is_shown(ctx, other["language"])
    )
    return tuple(found)


def default_tariff(ctx: Context, *, is_online: bool) -> TariffMessage | None:
    """None: there is nothing to be shown."""
    texts = default_texts(ctx, is_online=is_online)
    return TariffMessage(texts) if texts else None
