"""From IR to code in memory: what LLVM refuses is a CompileError, and code goes when nobody needs it."""

import ctypes
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from tarazu.backend.native.llvm.assemble import Loaded, assembly, object_code
from tarazu.backend.native.llvm.target import aarch64, host
from tarazu.base.errors import CompileError

GOOD = "define i64 @good(i64 %a) #0 {\nentry:\n  %b = mul i64 %a, 3\n  ret i64 %b\n}"
LIKE_GOOD = GOOD.replace("define i64 @good", "define internal i64 @like")
BAD = {
    "not dominated": "define internal i64 @bad(i1 %c) #0 {\nentry:\n  br i1 %c, label %x, label %y\nx:\n"
                     "  %v = add i64 1, 2\n  br label %y\ny:\n  ret i64 %v\n}",
    "wrong type": "define internal i64 @bad(i64 %a) #0 {\nentry:\n  %b = fadd float %a, 1.0\n  ret i64 %b\n}",
    "no end": "define internal i64 @bad(i64 %a) #0 {\nentry:\n  %b = add i64 %a, 1\n}",
    "nobody": "define internal i64 @bad(i64 %a) #0 {\nentry:\n  %b = call i64 @nobody(i64 %a)\n  ret i64 %b\n}",
}


def module(*functions, target=None):
    return "\n".join([*functions, f"attributes #0 = {{ {(target or host()).attributes} }}", ""])


def test_code_is_made_loaded_and_called():
    loaded = Loaded(object_code(module(LIKE_GOOD, GOOD), host()))
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(loaded.address("good"))(14) == 42
    assert loaded.address("good") == loaded.address("good")


def test_functions_of_the_process_are_found():
    text = module("declare i64 @labs(i64)", GOOD.replace("mul i64 %a, 3", "call i64 @labs(i64 %a)"))
    loaded = Loaded(object_code(text, host()))
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(loaded.address("good"))(-5) == 5


@pytest.mark.parametrize("function", BAD.values(), ids=BAD)
@pytest.mark.parametrize("make", [object_code, assembly])
def test_code_that_llvm_refuses_names_the_function(function, make):
    with pytest.raises(CompileError, match=r"the native backend: bad: .*\n"):
        make(module(LIKE_GOOD, function, GOOD), host())


def test_text_that_is_no_ir():
    with pytest.raises(CompileError, match="the module: LLVM IR parsing error"):
        object_code("nonsense", host())


def test_a_symbol_that_is_nowhere(capfd):
    caller = GOOD.replace("mul i64 %a, 3", "call i64 @nobody_has_this(i64 %a)")
    loaded = Loaded(object_code(module("declare i64 @nobody_has_this(i64)", caller), host()))
    with pytest.raises(CompileError, match="good: Failed to materialize symbols"):
        loaded.address("good")
    assert "Symbols not found: [ nobody_has_this ]" in capfd.readouterr().err
    with pytest.raises(CompileError, match="other: Symbols not found"):
        Loaded(object_code(module(GOOD), host())).address("other")


def test_a_damaged_object_file():
    code = object_code(module(GOOD), host())
    for damaged in (b"", b"no object file", code[:100], code[:-50]):
        with pytest.raises(CompileError, match=f"object code of {len(damaged)} bytes"):
            Loaded(damaged)


def test_targets_that_llvm_does_not_know():
    for target in (aarch64("z80-unknown-none"), aarch64("nonsense")):
        with pytest.raises(CompileError, match=f"LLVM has no {target.triple}"):
            object_code(module(GOOD), target)
    assert object_code(module(GOOD, target=aarch64()), aarch64())


def test_code_is_unloaded_with_its_object():
    def memory():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    if not Path("/proc/self/statm").exists():
        pytest.skip("needs /proc")
    code = object_code(module(*(GOOD.replace("good", f"good{i}") for i in range(300))), host())
    before = 0
    for turn in range(300):
        Loaded(code).address("good7")
        if turn == 100:
            before = memory()
    assert memory() - before < 100 * len(code)


def test_a_fork_while_another_thread_compiles():
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(f"""
        import os, threading, warnings
        from tarazu.backend.native.llvm.assemble import Loaded, object_code
        from tarazu.backend.native.llvm.target import host
        warnings.simplefilter("ignore", DeprecationWarning)
        text, stop = {GOOD!r} + "\\nattributes #0 = {{ nounwind }}", []
        def once():
            Loaded(object_code(text, host())).address("good")
        def work():
            while not stop:
                once()
        once()  # Python itself does not fork well while another thread imports, as of llvmlite here
        thread = threading.Thread(target=work)
        thread.start()
        for _ in range(20):
            child = os.fork()
            if not child:
                once()
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        stop.append(True)
        thread.join()
    """)], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


def test_several_threads_compile_at_once():
    found = []

    def work(i):
        loaded = Loaded(object_code(module(GOOD.replace("3", str(i))), host()))
        found.append(ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(loaded.address("good"))(10) == 10 * i)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [True] * 8
