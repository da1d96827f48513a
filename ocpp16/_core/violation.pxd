"""What a validator answers, and how it is made. Failure is rare: small to call, slow to run."""

from cpython.object cimport PyObject

ctypedef object (*check_t)(PyObject *)  # None, or a Violation


cdef class Violation:
    cdef readonly str rule
    cdef readonly tuple path
    cdef readonly object limit


cdef class Check:
    cdef check_t received
    cdef check_t sending


cdef object new_check(check_t received, check_t sending)
cdef object fail(str rule, object limit, tuple path, Py_ssize_t i, Py_ssize_t j, Py_ssize_t k)
cdef object missing(unsigned int seen, tuple required, tuple path, Py_ssize_t i, Py_ssize_t j, Py_ssize_t k)
cdef object unknown(PyObject *key, tuple known, tuple path, Py_ssize_t i, Py_ssize_t j, Py_ssize_t k)
cdef object under(object violation, tuple path, Py_ssize_t i, Py_ssize_t j, Py_ssize_t k)
