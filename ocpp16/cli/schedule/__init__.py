"""`ocpp16 schedule`: what charging profiles come to.

`command` is the subcommand; `scenario` the JSON form of a situation, `file` the reading of one that a person wrote,
`database` that of a station's; `lines` and `reasons` say the result in words; `curves` are what is drawn, on paper
(`layout`, then `svg` and `png`) or in characters (`terminal`).
"""
