"""The lowering of one graph: nodes become groups, loops and branches, and groups become launches of kernels."""
