"""C types of writer.py."""

from ocpp16.store.appending cimport Appending


cdef class JournalWriter:
    cdef public Appending _journal
    cdef object _charge_point_id
    cdef dict _shelf
    cdef public bint keeps_rows
    cdef public long long last
