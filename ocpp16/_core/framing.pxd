"""The frames as C types, for units of the core that make or read them."""


cdef class Call:
    cdef readonly object unique_id
    cdef readonly object action
    cdef readonly object payload


cdef class CallResult:
    cdef readonly object unique_id
    cdef readonly object payload


cdef class CallError:
    cdef readonly object unique_id
    cdef readonly object code
    cdef readonly object description
    cdef readonly object details
