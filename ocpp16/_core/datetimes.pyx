"""RFC 3339 text ↔ microseconds since 1970-01-01T00:00:00Z, as an int.

The inside of the library counts time in such ints; `datetime` is made at its public border only. What the strict
validators take as a date-time is exactly what `parse_datetime` takes: both ask `scan_date_time`.
"""

cimport cython
from cpython.object cimport PyObject

from ocpp16._core.datetimes cimport DateTime, scan_date_time

cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(PyObject *)
    Py_ssize_t PyUnicode_GET_LENGTH(PyObject *)
    void *PyUnicode_DATA(PyObject *)
    str PyUnicode_FromStringAndSize(const char *, Py_ssize_t)

# 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z: what `datetime` can hold.
cdef long long FIRST = -62135596800000000
cdef long long LAST = 253402300799999999


def parse_datetime(text):
    """Microseconds since 1970 (UTC) of an RFC 3339 date-time.

    T and Z may be small; a fraction has any number of digits and is cut to microseconds; second 60 is the one after
    59; an instant outside of the years 1 to 9999, where an offset may lead, becomes the nearest one inside. Raises
    ValueError for any other text, TypeError for what is no text.
    """
    return _parse(text, False)


def parse_datetime_tolerant(text):
    """As `parse_datetime`, for the forms that peers send as well.

    A blank for the T, a comma before the fraction, offsets as `+0100` or `+01`, no zone (taken as UTC).
    """
    return _parse(text, True)


cdef object _parse(text, bint is_tolerant):
    cdef DateTime fields
    if not isinstance(text, str):
        raise TypeError(f"a date-time must be str, not {type(text).__name__}")
    if not PyUnicode_IS_ASCII(<PyObject *>text) or not scan_date_time(
        <const unsigned char *>PyUnicode_DATA(<PyObject *>text),
        PyUnicode_GET_LENGTH(<PyObject *>text),
        is_tolerant,
        &fields,
    ):
        raise ValueError(f"not an RFC 3339 date-time: {text[:40]!r}")
    return _micros(&fields)


@cython.cdivision(True)
cdef long long _micros(DateTime *fields) noexcept:
    """Proleptic Gregorian calendar, years counted from March so that the leap day is the last one."""
    cdef long long year = fields.year - (1 if fields.month <= 2 else 0)
    cdef long long era = year // 400, year_of_era = year - era * 400
    cdef long long day_of_year = (153 * (fields.month + (-3 if fields.month > 2 else 9)) + 2) // 5 + fields.day - 1
    cdef long long days = era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468
    cdef long long seconds = days * 86400 + fields.hour * 3600 + fields.minute * 60 + fields.second - fields.offset * 60
    # An offset can lead out of the years that `datetime` knows (0001-01-01T00:00:00+01:00 is how .NET says "unset").
    return min(max(seconds * 1000000 + fields.micro, FIRST), LAST)


@cython.cdivision(True)
@cython.cdivision(True)  # of positive numbers
def format_datetime(micros, int fraction_digits=3):
    """RFC 3339 in UTC, always with `Z`.

    micros: microseconds since 1970; fraction_digits: 0 to 6, further digits are cut off. Raises ValueError outside of
    the years 1 to 9999.
    """
    cdef char text[27]
    cdef long long moment
    cdef long long days, rest, era, day_of_era, year_of_era, day_of_year, shifted, day, month, year
    cdef int i
    try:
        moment = micros
    except OverflowError:
        raise ValueError("a time beyond 64 bits is outside of the years 1 to 9999") from None
    if moment < FIRST or moment > LAST:
        raise ValueError(f"{moment} microseconds since 1970 are outside of the years 1 to 9999")
    if fraction_digits < 0 or fraction_digits > 6:
        raise ValueError(f"a fraction of {fraction_digits} digits, not 0 to 6")
    rest = moment - FIRST  # from 0001-01-01, so that all divisions are of positive numbers
    days, rest = rest // 86400000000LL, rest % 86400000000LL
    days += 306  # from 0000-03-01
    era, day_of_era = days // 146097, days % 146097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + (3 if shifted < 10 else -9)
    year = era * 400 + year_of_era + (1 if month <= 2 else 0)
    _digits(text, year // 100)
    _digits(text + 2, year % 100)
    text[4] = c'-'
    _digits(text + 5, month)
    text[7] = c'-'
    _digits(text + 8, day)
    text[10] = c'T'
    _digits(text + 11, rest // 3600000000LL)
    text[13] = c':'
    _digits(text + 14, rest // 60000000 % 60)
    text[16] = c':'
    _digits(text + 17, rest // 1000000 % 60)
    i = 19
    if fraction_digits:
        text[19] = c'.'
        rest %= 1000000
        for i in range(25, 19, -1):
            text[i] = <char>(c'0' + rest % 10)
            rest //= 10
        i = 20 + fraction_digits
    text[i] = c'Z'
    return PyUnicode_FromStringAndSize(text, i + 1)


@cython.cdivision(True)
cdef inline void _digits(char *text, long long value) noexcept:
    text[0] = <char>(c'0' + value // 10)
    text[1] = <char>(c'0' + value % 10)
