"""Loading the part of a state that fits a model, and the report of what was loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import listing, plural
from tarazu.base.state_dicts import require_same_state
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.tensor import Tensor


@dataclass(frozen=True)
class Loaded:
    """What of a state went into a model: all of it, or with `strict=False` what has the same path and shape.

    `paths` are those of the tensors that were loaded, `missing` those of the model that the state lacks, `unknown`
    those of the state that the model lacks, and `other_shapes` has by path the shapes in the state and in the model.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential(tz.nn.Dense(3, in_features=2), tz.nn.Dense(1, in_features=3))
    >>> model.load_state_dict({"0.weight": tz.ones((2, 3)), "0.bias": tz.ones(2), "2.bias": tz.ones(9)}, strict=False)
    1 of 4 tensors loaded; missing: '1.weight', '1.bias'; unknown: '2.bias'; other shapes: '0.bias' (2,) for (3,)
    """

    paths: tuple[str, ...]
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    other_shapes: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether the whole state went into the whole model."""
        return not (self.missing or self.unknown or self.other_shapes)

    def __repr__(self) -> str:
        total = len(self.paths) + len(self.missing) + len(self.other_shapes)
        shapes = [f"{path!r} {given} for {wanted}" for path, (given, wanted) in self.other_shapes.items()]
        parts = [f"{len(self.paths)} of {plural(total, 'tensor')} loaded"]
        parts += [f"{what}: {listing(paths)}" for what, paths in (("missing", self.missing), ("unknown", self.unknown))
                  if paths]
        return "; ".join(parts + ([f"other shapes: {', '.join(shapes[:20])}"] if shapes else []))


def load(own: Mapping[str, Tensor], content: Mapping[str, Any], *, strict: bool) -> Loaded:
    """Copy into the tensors `own` those of `content` that have the same paths and shapes.

    With `strict` ArgumentError or ShapeError unless that is all of both; else ArgumentError where it is none. Nothing
    is changed then.
    """
    if strict:
        require_same_state("model", own, content)
    common = [path for path in own if path in content]
    others = {path: (tuple(content[path].shape), tuple(own[path].shape)) for path in common
              if tuple(content[path].shape) != tuple(own[path].shape)}
    paths = tuple(path for path in common if path not in others)
    report = Loaded(paths, tuple(path for path in own if path not in content),
                    tuple(path for path in content if path not in own), others)
    if own and not paths:
        raise ArgumentError(f"nothing of the state fits the model: {report}",
                            expected=f"paths and shapes as in model.state_dict(), such as {listing(own, 3)}",
                            fix="rename the paths: {path.removeprefix('encoder.'): x for path, x in state.items()}")
    with no_grad():
        for path in paths:
            own[path].copy_(content[path])
    return report
