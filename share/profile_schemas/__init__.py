"""The configuration keys as JSON Schema documents, one for each section of the configuration file."""
