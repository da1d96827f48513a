"""C types of hooks.py."""

from ocpp16.rpc.pending cimport Asker, Entry


cdef class Hooks:
    cdef object _delivery
    cdef public object on_boot_missed
    cdef readonly object on_internal_error

    cpdef set_aside(self, Entry entry, waiting)
    cpdef confirmed(self, Entry entry, payload)
    cpdef failed(self, Entry entry, failure)
    cdef _tell_asker(self, Asker asker, what, hook, outcome)
    cdef _tell(self, what, hook, tuple arguments)
