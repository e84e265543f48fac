"""Tracing: primitives become nodes of a graph, and what a function reads or changes outside takes part."""
