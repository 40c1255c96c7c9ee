"""Importing a file: detect what it is, read its rows, map them to items, publish one version."""
