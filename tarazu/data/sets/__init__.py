"""Well-known data sets by name: load.py has `load`, bundled.py reads those that come with Tarazu (*.csv, mnist_small/).

tables.py reads those of scikit-learn, formulas.py makes some.

images.py reads MNIST, Fashion-MNIST and CIFAR-10; files.py says where their files come from and finds them, download.py
fetches them. named.py has arrays whose columns and classes have names.
"""
