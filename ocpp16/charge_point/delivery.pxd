"""C types of delivery.py."""

from ocpp16.profiles.context cimport Context
from ocpp16.rpc.pending cimport Entry


cdef class StoredDelivery:
    cdef public Context ctx
    cdef public object dead_letters

    cpdef transaction_id(self, Entry entry)
    cpdef corrected(self, Entry entry)
    cdef _with_corrected_times(self, payload, Entry entry)
    cpdef confirmed(self, Entry entry, payload)
