"""Layers in a compiled program: outputs and gradients against those of eager calls."""

from collections.abc import Sequence

import numpy as np

import tarazu as tz


def assert_compiled_as_eager(names: Sequence[str], layers: Sequence[tz.nn.Module], inputs: Sequence[tz.Tensor]) -> None:
    """All layers in one program, as that compiles faster; an assertion that fails names the layer."""
    inputs = [x.requires_grad_() if x.dtype.is_float and not layer.reads_codes else x
              for layer, x in zip(layers, inputs, strict=True)]
    weights = [tz.asarray(np.random.default_rng(2).normal(size=layer(x).shape).astype(np.float32))
               for layer, x in zip(layers, inputs, strict=True)]

    def step() -> list[tz.Tensor]:
        outputs = [layer(x) for layer, x in zip(layers, inputs, strict=True)]
        sum((y * w).sum() for y, w in zip(outputs, weights, strict=True)).backward()
        return [y.detach() for y in outputs]

    eager, compiled = (_results(run, names, layers, inputs) for run in (step, tz.jit(step)))
    for what, wanted in eager.items():
        np.testing.assert_allclose(compiled[what], wanted, rtol=3e-4, atol=3e-5, err_msg=what)


def _results(run, names, layers, inputs) -> dict[str, np.ndarray]:
    """Outputs and gradients by what they are, with random numbers that are the same each time."""
    every = {f"{name}: gradient of {path}": x for name, layer, x in zip(names, layers, inputs, strict=True)
             for path, x in [("the input", x), *layer.named_parameters()] if x.requires_grad}
    for x in every.values():
        x.grad = None
    tz.random.seed(6)
    outputs = run()
    return {**{f"{name}: output": y.numpy() for name, y in zip(names, outputs, strict=True)},
            **{what: x.grad.numpy() for what, x in every.items()}}
