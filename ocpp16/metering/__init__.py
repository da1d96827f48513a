"""Signed meter values, as pure functions: the texts of OCMF, their signatures, public keys, their form in OCPP.

Nothing here waits, keeps or sends anything. What is malformed is a `SignedDataError` that says what is wrong with it.
"""
