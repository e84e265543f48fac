"""From a graph to launches: which nodes get memory, which are computed together, in which loops."""
