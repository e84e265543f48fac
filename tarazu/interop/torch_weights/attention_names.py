"""The names under which libraries for torch keep the weights of attention.

Each row of `PACKED` and `APART` names the projections below the path of a layer; in a state they are called by one set
of names, which kinds.py reads: "qkv", or "q", "k" and "v", and "out", each with ".weight" and ".bias".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# one projection for queries, keys and values, and that of the outputs
PACKED = (("in_proj", "out_proj"), ("c_attn", "c_proj"), ("qkv", "proj"), ("Wqkv", "out_proj"), ("Wqkv", "Wo"),
          ("query_key_value", "dense"), ("qkv_proj", "o_proj"))
# one projection each, and that of the outputs; of names that begin alike the longer ones come first
APART = (("self.query", "self.key", "self.value", "output.dense"),
         ("attention.query", "attention.key", "attention.value", "output.dense"),
         ("attention.q_proj", "attention.k_proj", "attention.v_proj", "attention.o_proj"),
         ("q_proj", "k_proj", "v_proj", "out_proj"), ("q_proj", "k_proj", "v_proj", "o_proj"),
         ("query", "key", "value", "output"), ("query", "key", "value", "out"), ("q_lin", "k_lin", "v_lin", "out_lin"),
         ("to_q", "to_k", "to_v", "to_out.0"), ("to_q", "to_k", "to_v", "to_out"), ("wq", "wk", "wv", "wo"),
         ("q", "k", "v", "o"))
TORCH = {"qkv.weight": "in_proj_weight", "qkv.bias": "in_proj_bias", "q.weight": "q_proj_weight",
         "k.weight": "k_proj_weight", "v.weight": "v_proj_weight", "q.bias": "q_proj.bias", "k.bias": "k_proj.bias",
         "v.bias": "v_proj.bias", "out.weight": "out_proj.weight", "out.bias": "out_proj.bias"}
_PARTS = ("weight", "bias")


def _sets() -> Iterator[dict[str, str]]:
    """For each set of names what they are called here: {"c_attn.weight": "qkv.weight", ...}."""
    yield {there: here for here, there in TORCH.items()}
    for qkv, out in PACKED:
        yield {f"{name}.{part}": f"{role}.{part}" for name, role in ((qkv, "qkv"), (out, "out")) for part in _PARTS}
    for names in APART:
        yield {f"{name}.{part}": f"{role}.{part}" for name, role in zip(names, ("q", "k", "v", "out"), strict=True)
               for part in _PARTS}


SETS = tuple(_sets())


def attention_layers(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """The layers of attention among the tensors of a state: for each path {name here: name in the state}.

    >>> attention_layers(["h.0.attn.c_attn.weight", "h.0.attn.c_proj.weight", "h.0.mlp.c_proj.weight"])
    {'h.0.attn': {'qkv.weight': 'h.0.attn.c_attn.weight', 'out.weight': 'h.0.attn.c_proj.weight'}}
    """
    rest, found = dict.fromkeys(names), {}
    for roles in SETS:
        weights = [there for there, here in roles.items() if here in ("qkv.weight", "q.weight")]
        for name in list(rest):
            ending = next((f".{there}" for there in weights if f".{name}".endswith(f".{there}")), None)
            if ending is None or name not in rest:
                continue
            path = f".{name}".removesuffix(ending).removeprefix(".")
            parts = {here: full for there, here in roles.items() if (full := _joined(path, there)) in rest}
            if _is_whole(parts):
                found[path] = parts
                for full in parts.values():
                    del rest[full]
    return found


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _is_whole(parts: dict[str, str]) -> bool:
    return "out.weight" in parts and ("qkv.weight" in parts or {"q.weight", "k.weight", "v.weight"} <= parts.keys())
