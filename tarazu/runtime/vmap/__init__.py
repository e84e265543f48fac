"""Functions of one example as functions of many, and several copies of a model as one program."""
