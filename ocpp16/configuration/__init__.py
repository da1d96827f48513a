"""The configuration of a charge point: which keys there are, what each accepts, what holds now, and what a change does.

Everything here is synchronous and in memory; nothing knows of frames, SQL or trio. A change is prepared, written by
whoever has a disk, and then applied.

`configuration` is the door. `keys` are the rows, generated from `share/profile_schemas`; `key` says what a row holds,
`values`, `lists`, `documents` and `addresses` how the values of each kind are checked and written, `rules` what must
hold between keys. `loading` takes documents in (`file`: JSON from a disk; `custom_keys`: keys of the user's own),
`layers` says which value holds when, `changes` prepares a change, `report` is GetConfiguration, and `key_families` are
keys whose names carry a number or a language.
"""
