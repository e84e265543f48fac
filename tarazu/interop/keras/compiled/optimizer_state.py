"""What an optimizer of Keras knew of earlier steps: the count of steps, and averages for each parameter.

Keras keeps them in the order of the trainable variables. Which of our parameters these are, and how their elements
lie there, the reader of layers knows: the model is read once more with each variable full of its own number in place
of weights, and then with the averages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tarazu.interop.keras.saved_weights import Arrays
from tarazu.nn.module.module import Module
from tarazu.optim.classic import SGD, NAdam
from tarazu.optim.optimizer import Optimizer
from tarazu.runtime.tensor.creation import tensor

GROUPS = "optimizer/inner_optimizer", "optimizer"  # the first in one that scales the loss
AVERAGES = {"SGD": ("velocity",), "Adam": ("mean", "square"), "AdamW": ("mean", "square"),
            "Adamax": ("mean", "largest"), "Adadelta": ("square", "update"), "Lion": ("mean",),
            "KerasRMSprop": ("square",), "KerasAdagrad": ("sum",), "NAdam": ("mean", "square")}
# After those of all variables, again of all.
BEHIND = {"Adam": ("largest",), "AdamW": ("largest",), "KerasRMSprop": ("velocity", "mean")}
Reread = Callable[[Arrays], Module]
Variable = tuple[str, int]  # the group of arrays that it is in, and its place there


def load_optimizer_state(optimizer: Optimizer, model: Module, arrays: Arrays, groups: Sequence[str],
                         reread: Reread) -> None:
    """Let `optimizer` go on where Keras's ended, for `model`; nothing where that had no steps.

    `groups` are those of `arrays` in the order of the layers, `reread` makes the model with other arrays. ValueError
    where the file's state is not of that optimizer and these layers.
    """
    saved = next((arrays[group] for group in GROUPS if group in arrays), [])
    if not saved or not int(saved[0]):
        return
    *saved, product = saved if isinstance(optimizer, NAdam) else [*saved, np.ones(())]  # of the momenta of all steps
    optimizer.attach(model.named_parameters())
    kept = _slots(optimizer)
    kind = type(optimizer).__name__
    names, behind = ([name for name in table.get(kind, ()) if name in kept] for table in (AVERAGES, BEHIND))
    if optimizer.accumulate_steps > 1:
        raise ValueError("gradients that are averaged over steps")
    variables = _variables(arrays, groups, reread)
    averages = _by_slot(saved, names, behind, variables, arrays)
    state = optimizer.state_dict()
    state["step_count"] = tensor(int(saved[0]), dtype="int64")
    for slot, values in averages.items():
        read = dict(reread(_in_place_of(arrays, values)).named_parameters())
        factor = 1.0
        if slot == "velocity":  # Keras's is a step, and SGD's is added to the weights
            factor = (-1 if isinstance(optimizer, SGD) else 1) / float(optimizer.lr)
        for i, (path, x) in enumerate(model.named_parameters()):
            if x.requires_grad:
                key = next(name for name in state if name.endswith(f".{slot}.{i}"))
                state[key] = read[path].detach() * factor
    state |= {name: tensor(float(product)) for name in state if ".product." in name}
    optimizer.load_state_dict(state)


def _in_place_of(arrays: Arrays, values: Mapping[Variable, np.ndarray]) -> Arrays:
    content = dict(arrays)
    for (group, place), value in values.items():
        content[group] = [value if i == place else x for i, x in enumerate(content[group])]
    return content


def _slots(optimizer: Optimizer) -> set[str]:
    """The names of what the optimizer keeps for each parameter."""
    return {name.split(".")[1] for name in optimizer.state_dict() if name.count(".") == 2}


def _variables(arrays: Arrays, groups: Sequence[str], reread: Reread) -> list[Variable]:
    """The variables that learn, in the order of the layers: those whose numbers come up in parameters that do."""
    numbered: dict[Variable, int] = {}
    content = dict(arrays)
    for group in groups:
        for place in range(len(arrays.get(group, ()))):
            numbered[group, place] = len(numbered) + 1
        content[group] = [np.full(x.shape, numbered[group, place], np.float32) if x.dtype.kind == "f" else x
                          for place, x in enumerate(arrays.get(group, ()))]
    found = {float(number) for x in reread(content).parameters() if x.requires_grad for number in np.unique(x.numpy())}
    if not found <= {0.0, *map(float, numbered.values())}:
        raise ValueError("layers that keep their weights in another form than Keras")
    return [variable for variable, number in numbered.items() if number in found]


def _by_slot(saved: Sequence[np.ndarray], names: Sequence[str], behind: Sequence[str], variables: Sequence[Variable],
             arrays: Arrays) -> Mapping[str, Mapping[Variable, np.ndarray]]:
    """The averages by their names here: side by side for each variable, and those `behind` after all others."""
    count = len(names) * len(variables)
    rest = len(saved) - count - len(behind) * len(variables)
    if rest not in (1, 2):  # the count of steps, and the rate where it is a number
        raise ValueError(f"{len(saved)} arrays for {len(variables)} variables that learn")
    found = {name: dict(zip(variables, saved[rest + i:rest + count:len(names)], strict=True))
             for i, name in enumerate(names)}
    for i, name in enumerate(behind):
        start = rest + count + i * len(variables)
        found[name] = dict(zip(variables, saved[start:start + len(variables)], strict=True))
    for values in found.values():
        for (group, place), value in values.items():
            if value.shape != arrays[group][place].shape:
                raise ValueError(f"an array of shape {value.shape} for one of shape {arrays[group][place].shape}")
    return found
