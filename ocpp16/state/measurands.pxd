"""C types of measurands.py."""

from ocpp16._core.decimals cimport text_of_numbers

cdef _append_phases(list pieces, values, tuple rests)
