"""The charge point as a whole: the only package that knows all features, the store, the security and the transport."""
