"""C types of noise.py."""


cdef class Noise:
    cdef double _most
    cdef object _random
    cdef object _seed
