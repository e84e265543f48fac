"""Functional models: layers and operations called on symbolic tensors, which record what is to be done with real ones.

symbols.py has the symbolic tensors and what makes each of them, batch_axis.py follows the batch axis through
operations, unknown_size.py stands for sizes that inputs leave open, inputs.py makes inputs, plan.py turns recorded
symbols into steps over numbered values, operations.py carries recorded operations out, plain.py writes graphs and other
attributes of operations as plain data, recipe.py holds what a saved model is made again from, call_arguments.py checks
the inputs of a call, model.py is the model, table.py its summary.
"""

import typing

if not typing.TYPE_CHECKING:  # torch's functions of that name are in `tz`
    from tarazu.base.hints.missing import no_attributes_beside

    __getattr__ = no_attributes_beside(__name__)
