"""The processor that code is made for: its features, the width of its vectors, the number of its registers."""

from __future__ import annotations

import functools
import os
from typing import NamedTuple

from tarazu.backend.native.llvm.permission import may_use_tiles
from tarazu.base.errors import ArgumentError

CACHE_LINE = 64  # bytes
_X86_FEATURES = {  # what TARAZU_CPU leaves of the features of an x86-64 processor
    "avx512": ("amx",),
    "avx2": ("amx", "avx512"),
    "sse": ("amx", "avx", "fma", "f16c", "xop", "vaes", "vpclmulqdq"),
}


class Target(NamedTuple):
    """A processor, by what the generator of code has to know of it."""

    triple: str
    cpu: str
    features: str
    vector_bytes: int
    registers: int  # of vectors
    has_fma: bool
    threads: int = 2  # that kernels are divided for; their results are right on any number
    winograd: int = 4  # how many outputs a tile of a convolution may have along an axis; 0 for none
    has_pairs: bool = False  # whether one instruction adds two products of bfloat16 to a float32 (AVX512_BF16)
    has_matrices: bool = False  # whether it multiplies tiles of bfloat16, and the system lets it (AMX_BF16)
    has_float16: bool = False  # whether instructions convert float16 to float32 and back (F16C)

    @property
    def lanes(self) -> int:
        """How many numbers of single precision a vector holds."""
        return self.vector_bytes // 4

    @property
    def tile_columns(self) -> int:
        """How many columns a register tile of a product usually has."""
        return self.lanes * (4 if self.registers > 16 else 2)

    @property
    def is_x86(self) -> bool:
        return self.triple.startswith(("x86_64", "amd64"))

    @property
    def attributes(self) -> str:
        """The attributes of every function. Without the widths LLVM would halve vectors of 512 bits."""
        widths = f'"prefer-vector-width"="{8 * self.vector_bytes}" "min-legal-vector-width"="{8 * self.vector_bytes}"'
        return f'nounwind "target-cpu"="{self.cpu}" "target-features"="{self.features}" {widths}'


@functools.lru_cache(maxsize=8)
def host(narrowed: str | None = None) -> Target:
    """This processor, limited to the features that `narrowed` or TARAZU_CPU names: `avx512`, `avx2` or `sse`."""
    import llvmlite.binding as llvm

    triple, available = llvm.get_default_triple(), dict(llvm.get_host_cpu_features())
    wanted = narrowed or os.environ.get("TARAZU_CPU", "")
    if not triple.startswith(("x86_64", "amd64")):
        flags = ",".join(f"{'+' if on else '-'}{name}" for name, on in available.items())
        return aarch64(triple, llvm.get_host_cpu_name(), flags)
    if wanted and wanted not in _X86_FEATURES:
        raise ArgumentError(f"TARAZU_CPU={wanted}", expected=f"one of {', '.join(_X86_FEATURES)}",
                            fix="leave it unset to use all that the processor has")
    dropped = _X86_FEATURES.get(wanted, ())
    features = {name: on and not name.startswith(dropped) for name, on in available.items()}
    flags = ",".join(f"{'+' if on else '-'}{name}" for name, on in sorted(features.items()))
    wide = all(features.get(name) for name in ("avx512f", "avx512bw", "avx512vl", "avx512dq"))
    if not wide:
        flags = ",".join(flag for flag in flags.split(",") if not flag.startswith("+avx512"))
    width = 64 if wide else 32 if features.get("avx2") else 16
    has_pairs = wide and bool(features.get("avx512bf16"))
    has_matrices = has_pairs and all(features.get(name) for name in ("amx-tile", "amx-bf16")) and may_use_tiles()
    return Target(triple, "x86-64", flags, width, 32 if wide else 16, bool(features.get("fma")), has_pairs=has_pairs,
                  has_matrices=has_matrices, has_float16=bool(features.get("f16c")))


def aarch64(triple: str = "aarch64-unknown-linux-gnu", cpu: str = "generic", features: str = "+neon") -> Target:
    """A 64-bit ARM processor with NEON."""
    return Target(triple, cpu, features, 16, 32, True)


def avx512_bf16(triple: str = "x86_64-unknown-linux-gnu") -> Target:
    """A 64-bit x86 processor with AVX-512 and products of pairs of bfloat16, such as Cooper Lake or Zen 4."""
    features = "+avx,+avx2,+avx512bf16,+avx512bw,+avx512dq,+avx512f,+avx512vl,+f16c,+fma"
    return Target(triple, "x86-64", features, 64, 32, True, has_pairs=True, has_float16=True)


def amx_bf16(triple: str = "x86_64-unknown-linux-gnu") -> Target:
    """A 64-bit x86 processor with products of tiles of bfloat16 besides, such as Sapphire Rapids."""
    target = avx512_bf16(triple)
    return target._replace(features=f"+amx-bf16,+amx-tile,{target.features}", has_matrices=True)
