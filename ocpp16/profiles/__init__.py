"""The feature profiles: what the charge point does, one module each.

They know the Context and the station and nothing of each other; `charge_point` puts them together, in the order in
which they are to hear of signals: boot first, so that time and registration hold when the others look.
"""
