"""The base class of layers and models, and what it stands on."""
