"""Well-known data sets by name: load.py has `load`, tables.py reads those that lie in packages, formulas.py makes some.

images.py reads MNIST, Fashion-MNIST and CIFAR-10; files.py says where their files come from and finds them, download.py
fetches them. named.py has arrays whose columns and classes have names.
"""
