"""A bad network on the charge point's side of the wire: what happens to bytes and frames, by a seed."""
