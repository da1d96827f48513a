"""The grammar of a date-time in C, once: the validators ask whether a text fits it, `datetimes` what it means."""

cimport cython


ctypedef struct DateTime:
    int year
    int month
    int day
    int hour
    int minute
    int second
    int micro
    int offset  # minutes east of UTC


cdef inline int two_digits(const unsigned char *s) noexcept:
    """Value of two digits, or -10000, so that a sum with it stays below zero."""
    cdef unsigned int a = <unsigned int>s[0] - 48, b = <unsigned int>s[1] - 48
    return <int>(a * 10 + b) if a <= 9 and b <= 9 else -10000


@cython.cdivision(True)
cdef inline bint scan_date_time(const unsigned char *s, Py_ssize_t n, bint is_tolerant, DateTime *fields) noexcept:
    """RFC 3339: T and Z in either case, a fraction of any length, an offset with colon, second 60, days that exist.

    Not the year 0, which `datetime` cannot hold. Tolerant: also a blank for the T, a comma before the fraction, an
    offset without colon or minutes, no zone at all (UTC). `s` has `n` bytes of ASCII.
    """
    cdef Py_ssize_t i = 19, start
    cdef int scale = 100000, hours, minutes
    if n < 19 or s[4] != c'-' or s[7] != c'-' or s[13] != c':' or s[16] != c':':
        return False
    if (s[10] | 32) != c't' and not (is_tolerant and s[10] == c' '):
        return False
    fields.year = two_digits(s) * 100 + two_digits(s + 2)
    fields.month, fields.day = two_digits(s + 5), two_digits(s + 8)
    fields.hour, fields.minute, fields.second = two_digits(s + 11), two_digits(s + 14), two_digits(s + 17)
    if fields.year < 1 or fields.month < 1 or fields.month > 12 or fields.day < 1:
        return False
    if fields.hour < 0 or fields.hour > 23 or fields.minute < 0 or fields.minute > 59:
        return False
    if fields.second < 0 or fields.second > 60:
        return False
    if fields.month == 2:
        if fields.day > 29:
            return False
        if fields.day == 29 and (fields.year & 3 or (fields.year % 100 == 0 and fields.year % 400 != 0)):
            return False
    elif fields.day > 30 + ((5546 >> fields.month) & 1):  # bits 1, 3, 5, 7, 8, 10 and 12: the long months
        return False
    fields.micro = 0
    fields.offset = 0
    if i < n and (s[i] == c'.' or (is_tolerant and s[i] == c',')):
        i += 1
        start = i
        while i < n and c'0' <= s[i] <= c'9':
            fields.micro += (s[i] - c'0') * scale
            scale //= 10  # 0 after six digits: the rest is cut off
            i += 1
        if i == start:
            return False
    if i == n:
        return is_tolerant
    if (s[i] | 32) == c'z':
        return i == n - 1
    if s[i] != c'+' and s[i] != c'-':
        return False
    minutes = 0
    if n - i == 6 and s[i + 3] == c':':
        minutes = two_digits(s + i + 4)
    elif is_tolerant and n - i == 5:
        minutes = two_digits(s + i + 3)
    elif not is_tolerant or n - i != 3:
        return False
    hours = two_digits(s + i + 1)
    if hours < 0 or hours > 23 or minutes < 0 or minutes > 59:
        return False
    fields.offset = hours * 60 + minutes if s[i] == c'+' else -(hours * 60 + minutes)
    return True
