"""C types of changes.py."""

cimport cython

from ocpp16._core.by_number cimport ByNumber
from ocpp16._core.records cimport are_plain
from ocpp16.store.table cimport Delete, Put, Table


@cython.locals(put=Put, delete=Delete, table=Table, width=Py_ssize_t, keys=Py_ssize_t)
cpdef check_change(change)

@cython.locals(put=Put, delete=Delete, length=Py_ssize_t)
cpdef carry_out(change, ByNumber rows)
