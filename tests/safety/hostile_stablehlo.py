# ruff: noqa: E501
"""Damages of StableHLO files: JAX's bytes, which a checksum follows that anybody can write anew."""

import functools

import numpy as np
from damages import DEEP, NOISE, content

BYTES_AT = 0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.999
CALLBACK = "xla_ffi_python_cpu_callback"


def sealed(change):
    """The damage that `change(bytes)` does to JAX's bytes, with a checksum that fits."""
    def changed(data):
        from tarazu.runtime.jit.exported import SEAL_SIZE, _seal

        body = change(data[:-SEAL_SIZE])
        return body + _seal(body)
    return content(changed)


def byte(place, value=0xFF):
    """One byte of JAX's is another: the place is a share of the length."""
    def change(body):
        at = min(int(len(body) * place), len(body) - 1)
        return body[:at] + bytes([value]) + body[at + 1:]
    return sealed(change)


def replaced(old, new):
    return sealed(lambda body: body.replace(old, new))


def number_at(place, value):
    """A 4-byte number of the table that JAX's bytes begin with."""
    return sealed(lambda body: body[:place] + int(value).to_bytes(4, "little") + body[place + 4:])


@functools.cache
def _exported(name):
    import jax
    import jax.numpy as jnp
    from jax import export

    row = jax.ShapeDtypeStruct((2, 3), np.float32)

    def callback(x):
        return jax.ffi.ffi_call(CALLBACK, row)(x, index=np.uint64(0))

    functions = {"a fixed number of rows": lambda x: x + 1, "a callback": callback,
                 "10^12 elements": lambda x: jnp.zeros((10**6, 10**6)) + x[0, 0]}
    allowed = [export.DisabledSafetyCheck.custom_call(CALLBACK)] if name == "a callback" else []
    exported = export.export(jax.jit(functions[name]), platforms=["cpu"], disabled_checks=allowed)(row)
    return bytes(exported.serialize())


def foreign(name):
    """A program that JAX wrote and Tarazu did not, sealed."""
    return sealed(lambda _: _exported(name))


DAMAGES = {
    "sealed nothing": sealed(lambda body: b""), "sealed one byte": sealed(lambda body: b"\0"), "sealed noise": sealed(lambda body: NOISE),
    "sealed zeros": sealed(lambda body: bytes(len(body))), "sealed ones": sealed(lambda body: b"\xff" * len(body)), "sealed half": sealed(lambda body: body[:len(body) // 2]),
    "sealed, a byte short": sealed(lambda body: body[:-1]), "sealed backwards": sealed(lambda body: body[::-1]), "sealed JSON": sealed(lambda body: DEEP.encode()),
    "sealed pickle": sealed(lambda body: b"\x80\x04cos\nsystem\n(S'touch /tmp/tarazu-was-here'\ntR."), "sealed MLIR in text": sealed(lambda body: b"module { func.func @main() { return } }"),
    "sealed twice": lambda path: [sealed(lambda body: body)(path), content(lambda data: data + data[-60:])(path)], "another checksum": content(lambda data: data[:-1] + bytes([data[-1] ^ 1])),
    "no MLIR in it": replaced(b"ML\xefR", b"ML\xefX"), "another version of MLIR": replaced(b"StableHLO_v", b"StableHLO_w"), "a version of 99": replaced(b"StableHLO_v1", b"StableHLO_v9"),
    "another function": replaced(b"main", b"mane"), "an operation of nobody": replaced(b"dot_general", b"dot_generic"), "a custom call": replaced(b"dot_general", b"custom_call"),
    **{f"a byte at {share}": byte(share) for share in BYTES_AT},
    **{f"the number at {place} is {value:,}": number_at(place, value) for place in (0, 4, 8, 12) for value in (2**31 - 1, 2**32 - 1, 10)},
    **{f"of JAX, {name}": foreign(name) for name in ("a callback", "a fixed number of rows", "10^12 elements")}}
