"""The message log: what went over the wire, as files that people and other programs read.

General layout: `message_log` is told frames and events in the trio thread and hands them to the `writer`, a thread of
its own, in which all else happens: `scribe` has a frame read (`record`: an answer is joined with its request) and gives
it to the sinks; a format (`text`, `html`, `json_lines`, `console`) makes a row of it, `log_file` puts rows into a file,
`rotation` says which old ones stay, `session_log` keeps what one session is about.
Must not know: trio, profiles, the store.
"""
