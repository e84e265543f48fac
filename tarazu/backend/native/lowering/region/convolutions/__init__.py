"""What convolutions need beyond sums of products.

winograd.py computes them in tiles, by the matrices of toom_cook.py; dilated.py rewrites dilated ones for that.
surroundings.py knows the zeros that they need around their inputs, frames.py which tensors are computed into the middle
of their zeros, zeros.py copies the others with zeros around.
"""
