"""What a trace of OCPP traffic says about those who wrote it: read in a stream, checked by a table of rules.

`trace` reads the frames, `transactions` puts those of a transaction together, `rules` is the table. A rule is a small
function of its own; a new one is a function and a row.
"""
