"""C types of link.py."""

from ocpp16.rpc.session cimport Session
from ocpp16.state.clock cimport Clock
from ocpp16.transport.plain_socket cimport PlainSocket


cdef class Link:
    cdef public PlainSocket websocket
    cdef Session _session
    cdef Clock _clock
    cdef object _timers
    cdef object _accept
    cdef object _begin
    cdef object _turn
    cdef object _trace
    cdef object _flush
    cdef bint _is_flushing
    cdef bint _holds_back
    cdef list _thens
    cdef object _ping
    cdef object _pong
    cdef object _probe
    cdef bytes _ping_payload
    cdef object _pong_timeout

    cpdef take(self, double now, long long durable)
    cpdef bint takes_frames(self) except -1
    cpdef take_in(self, list texts=*)
    cdef _take_in(self, list texts)
    cpdef _written(self)
    cdef _heard(self, double now)
