"""permessage-deflate (RFC 7692) as we are willing to speak it.

Rules: no context is kept from message to message in what we send, and none is asked of the peer, since a kept context
costs up to 300 KiB for each connection; a control frame between two fragments leaves the message alone; what is
inflated stays below the message limit.
"""

import zlib

from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits

__all__ = ["BoundedDeflate"]


class BoundedDeflate(PerMessageDeflate):
    """The extension for one connection. `limit` is the largest message in bytes after inflation."""

    def __init__(self, limit: int) -> None:
        super().__init__(client_no_context_takeover=True, server_no_context_takeover=True)
        self._limit = limit

    def accept(self, offer: str) -> bool | str | None:
        """As server: the answer to an offer; None declines it, as one with parameters out of range (RFC 7692 §7.1)."""
        if self.enabled():
            return None  # one of the offers before is taken, and each connection inflates once
        try:
            return super().accept(offer)
        except (ValueError, IndexError):
            return None

    def finalize(self, offer: str) -> None:
        """As client: take what the server chose. Raises ValueError or IndexError for what nobody may choose."""
        if self.enabled():
            raise ValueError("permessage-deflate is accepted twice")
        # A server that does not confirm server_no_context_takeover keeps its context, so we have to keep ours.
        self.server_no_context_takeover = False
        super().finalize(offer)

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        if opcode.iscontrol():
            self._inbound_is_compressible = False
            return RsvBits(False, False, False)
        return super().frame_inbound_header(proto, opcode, rsv, payload_length)

    def frame_inbound_payload_data(self, proto: FrameDecoder | FrameProtocol, data: bytes) -> bytes | CloseReason:
        inflate = self._decompressor
        if not self._inbound_compressed or not self._inbound_is_compressible or inflate is None:
            return data
        try:
            inflated = inflate.decompress(bytes(data), self._limit + 1)
        except zlib.error:
            return CloseReason.INVALID_FRAME_PAYLOAD_DATA
        return CloseReason.MESSAGE_TOO_BIG if inflate.unconsumed_tail else inflated

    def frame_inbound_complete(self, proto: FrameDecoder | FrameProtocol, fin: bool) -> bytes | CloseReason | None:
        # The parent forgets here that the message is compressed, also when the frame was a ping in its middle.
        if not self._inbound_is_compressible:
            return None
        return super().frame_inbound_complete(proto, fin)
