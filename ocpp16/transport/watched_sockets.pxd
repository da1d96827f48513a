"""C types of watched_sockets.py."""


cdef class WatchedSockets:
    cdef object _epoll
    cdef object _now
    cdef object _ready
    cdef object _rest
    cdef dict _watched
    cdef readonly bint is_over

    cpdef step(self)
    cdef _read(self, number)
