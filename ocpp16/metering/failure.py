"""What is wrong with signed data: one exception for all of it."""


class SignedDataError(ValueError):
    """Text that is no signed data, or not such as can be read or verified. Its text says what is wrong."""
