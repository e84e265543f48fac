"""Random valid graphs over all primitives, with values that stay tame, and the arrays to run them on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import steps_contract
import steps_control
import steps_elementwise
import steps_idioms
import steps_shape
from choices import Choices, from_hypothesis, from_seed
from growth import Growth, Item
from hypothesis import strategies as st
from inputs import Source, draw, in_some_layout

from tarazu.ir.graph import Graph
from tarazu.ir.verify import verify

DEEPEST = 2
FAMILIES = {"elementwise": 10, "shape": 5, "contract": 5, "idioms": 2, "control": 1}
STEPS = {"elementwise": steps_elementwise.STEPS, "shape": steps_shape.STEPS, "contract": steps_contract.STEPS,
         "idioms": steps_idioms.STEPS, "control": steps_control.STEPS}


class Case(NamedTuple):
    """A graph, and how the arrays for its parameters are drawn."""

    graph: Graph
    sources: tuple[Source, ...]
    seed: int

    def arrays(self, number: int) -> list[np.ndarray]:
        """The inputs number `number`."""
        rng = np.random.default_rng([self.seed, number])
        return [in_some_layout(rng, draw(rng, type_, source))
                for type_, source in zip(self.graph.input_types, self.sources, strict=True)]


def grow(growth: Growth, steps: int) -> None:
    """Let so many random steps happen."""
    for _ in range(steps):
        family = growth.choose.weighted(FAMILIES)
        step = growth.choose.weighted(STEPS[family])
        if family != "control":
            step(growth)
        elif growth.depth < DEEPEST:
            step(growth, grow)
    if not growth.items:
        growth.operand()


def case_from(choose: Choices) -> Case:
    """A random graph with its inputs."""
    growth = Growth(choose, largest=choose.weighted({600: 6, 4000: 3, 40000: 1}))
    grow(growth, choose.between(1, choose.weighted({8: 4, 16: 4, 30: 1})))
    graph = verify(Graph(growth.parameters, [item.node for item in _outputs(growth)]), "the generator")
    return Case(graph, tuple(growth.sources), choose.below(1000))


def _outputs(growth: Growth) -> list[Item]:
    """What nothing uses, at most six of them, and now and then a value again, a parameter, a constant."""
    choose = growth.choose
    outputs = [item for item in growth.items if item.node not in growth.used][-6:] or growth.items[-1:]
    if choose.chance(30):
        outputs.append(choose.one_of(growth.items))
    if choose.chance(10):
        outputs.append(growth.constant([1, 2, 3], outputs[0].dtype))
    if choose.chance(10):
        outputs.append(outputs[0])
    return outputs


def case_of_seed(seed: int) -> Case:
    return case_from(from_seed(seed))


@st.composite
def cases(draw_choice: st.DrawFn) -> Case:
    """Random cases that hypothesis can shrink."""
    return case_from(from_hypothesis(draw_choice))
