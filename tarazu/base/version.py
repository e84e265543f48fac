"""The version of Tarazu, which files on disk carry."""

__version__ = "0.1.0"
