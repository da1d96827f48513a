"""C types of layers.py."""


cdef class Layers:
    cdef public object _built
    cdef public object changed
    cdef public object custom
    cdef public object is_recorded
    cdef public object main
    cdef public object main_sections
    cdef public object overlaid
    cdef public object pending
    cdef public object revision
    cdef public object schema
    cdef public object sections
    cdef public object under_way
