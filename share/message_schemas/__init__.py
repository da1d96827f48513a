"""One JSON Schema document per feature profile: the single source for validators and payload types."""
