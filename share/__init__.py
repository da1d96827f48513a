"""Data files of the package: schemas of messages and of configuration keys, SQL, example configurations."""
