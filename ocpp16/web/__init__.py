"""The panel: a simulated station in a browser, with everything the console can do, live.

General layout: `panel` joins what there is to show with who looks at it. `snapshot` says what a charge point and its
station are, in named parts; `traffic` keeps the messages and events of the last while; `feed` brings both to any
number of pages, each with a bounded buffer. `forms` makes forms of the one table of commands, `curves` a picture of a
schedule. `fleet_panel` is the same for the charge points of a load test, `mosaic` their states, and each that is opened
in it has a panel of its own. `site` is the application (starlette), `guard` stands before it, `door` lets connections
in (hypercorn). `page/` is what a browser gets: no build step, nothing from elsewhere.

The feed knows neither charge points nor HTTP.
"""
