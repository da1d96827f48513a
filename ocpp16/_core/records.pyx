"""Records that do not change once they are made, filled in one step; and rows, looked over in one."""

from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE

cdef extern from *:
    """
    static int set_slot(PyObject *slot, PyObject *record, PyObject *value) {
        descrsetfunc setter = Py_TYPE(slot)->tp_descr_set;
        if (setter == NULL) {
            PyErr_SetString(PyExc_TypeError, "no slot of a record");
            return -1;
        }
        return setter(slot, record, value);
    }
    """
    int set_slot(PyObject *slot, PyObject *record, PyObject *value) except -1

cdef extern from "Python.h":
    bint PyUnicode_Check(PyObject *)
    bint PyUnicode_IS_ASCII(PyObject *)
    bint PyLong_Check(PyObject *)
    long long PyLong_AsLongLongAndOverflow(PyObject *, int *)
    PyObject *Py_None


def fill(record, tuple slots not None, tuple values not None):
    """Set the slots of a new record, which its class lets nobody set.

    slots: the descriptors of its class (`vars(cls)[name]`), in the order of `values`. Raises ValueError unless there
    are as many, TypeError for another record.
    """
    cdef Py_ssize_t place, size = PyTuple_GET_SIZE(slots)
    if PyTuple_GET_SIZE(values) != size:
        raise ValueError(f"{size} slots, and {len(values)} values")
    for place in range(size):
        set_slot(<PyObject *>PyTuple_GET_ITEM(slots, place), <PyObject *>record, <PyObject *>PyTuple_GET_ITEM(values, place))


cpdef bint are_plain(tuple values, Py_ssize_t keys) except -1:
    """Is each of these an int of 64 bits, a text in ASCII, or None, but for the first `keys`, which are not None?

    A bool is such an int, a member of a StrEnum such a text. So are nearly all rows; of the others this says nothing.
    """
    cdef Py_ssize_t place
    cdef PyObject *value
    cdef int beyond
    if values is None:
        raise TypeError("a row is a tuple")
    for place in range(PyTuple_GET_SIZE(values)):
        value = <PyObject *>PyTuple_GET_ITEM(values, place)
        if PyUnicode_Check(value):
            if not PyUnicode_IS_ASCII(value):
                return False
        elif PyLong_Check(value):
            PyLong_AsLongLongAndOverflow(value, &beyond)
            if beyond:
                return False
        elif value != Py_None or place < keys:
            return False
    return True
