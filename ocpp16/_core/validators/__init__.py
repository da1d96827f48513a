"""Compiled payload validators, one unit per feature profile, generated from `share/message_schemas` by the build."""
