"""Persistence: rows by charge point, changes in order, one commit for many.

    base, rows, tables     what is stored
    journal                changes get a number and are committed behind
    memory, sqlite         where to; a driver of your own is as good (check it with `ocpp16.testing.contracts`)
    migrations, recovery   databases of other versions, and damaged ones
    overlay                changed configuration as a JSON file

Nothing is imported here: who only keeps things in memory pays for neither SQLite nor trio.
"""
