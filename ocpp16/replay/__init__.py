"""A trace played again: the charge point's side against a Central System, or the other way round."""
