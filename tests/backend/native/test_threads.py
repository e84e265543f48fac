"""Programs on several threads: barriers, helpers, and what forks, spawned children and the end of Python do to them."""

import functools
import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import counting
import numpy as np
import pytest

from tarazu.backend.native.llvm.assemble import Loaded, object_code
from tarazu.backend.native.llvm.function import Module
from tarazu.backend.native.llvm.target import aarch64, host
from tarazu.backend.native.threads import barrier, pool, thread_count
from tarazu.backend.native.threads.sleep import pause
from tarazu.base.errors import ArgumentError

FOLDER = Path(__file__).parent / "support"
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def child(source, expected="", **environment):
    """Run Python source in a new interpreter: it must print what is expected and end well."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(source)], cwd=FOLDER, capture_output=True, text=True,
                          timeout=60, env={**os.environ, **environment})
    assert done.returncode == 0 and done.stderr == "", done.stderr + done.stdout
    assert done.stdout.strip() == expected


@pytest.mark.parametrize(("number", "turns"), [(1, 10), (2, 20_000), (3, 2_000), (4, 2_000), (9, 300)])
def test_no_thread_passes_a_barrier_before_all_have_come(number, turns):
    assert counting.count(number, turns) == number


def test_short_runs_with_changing_numbers_of_threads():
    for i in range(2_000):
        counting.count(1 + i % 4, i % 3)


def test_helpers_that_sleep_are_woken():
    for _ in range(20):
        time.sleep(0.003)
        counting.count(2, 10)


def test_right_while_other_processes_keep_the_cores_busy():
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        counting.count(2, 300)
        counting.count(3, 100)
    finally:
        for process in busy:
            process.kill()
            process.wait()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs a system that can take cores away")
def test_right_while_cores_are_taken_away():
    """All threads of the process are put on one core and let go again while they wait for each other."""
    child("""
        import os, threading, counting
        cores, done = sorted(os.sched_getaffinity(0)), threading.Event()
        def take_away():
            turn = 0
            while not done.wait(0.002):
                turn += 1
                for task in os.listdir("/proc/self/task"):
                    try:
                        os.sched_setaffinity(int(task), cores if turn % 2 else {cores[turn // 2 % len(cores)]})
                    except ProcessLookupError:
                        pass
        taker = threading.Thread(target=take_away)
        taker.start()
        print(*{counting.count(threads, 300) for _ in range(10) for threads in (2, 3)})
        done.set()
        taker.join()
    """, "2 3")


def test_several_python_threads_run_programs_at_once():
    found = []

    def work(number):
        found.extend(counting.count(number, 200) for _ in range(50))

    workers = [threading.Thread(target=work, args=(2 + i % 2,)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 200 and set(found) <= {1, 2, 3}


def test_who_finds_the_helpers_at_work_goes_on_alone():
    took_part = []
    for _ in range(20):
        long_run = threading.Thread(target=counting.count, args=(2, 30_000))
        long_run.start()
        time.sleep(0.003)
        while long_run.is_alive():
            took_part.append(counting.count(2, 5))
        long_run.join()
        if 1 in took_part:
            return
    raise AssertionError("no run went on alone")


def test_one_thread_needs_no_helpers():
    child("""
        import threading, counting
        counting.count(1, 5)
        print(threading.active_count())
        counting.count(3, 5)
        print(threading.active_count())
    """, "1\n3")


@needs_fork
def test_a_child_of_fork_makes_helpers_of_its_own():
    child("""
        import os, counting
        for _ in range(5):
            counting.count(3, 50)
            process = os.fork()
            if not process:
                counting.count(2, 50)
                os._exit(counting.count(4, 50))
            counting.count(3, 50)
            assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 4
    """)


@needs_fork
def test_fork_while_helpers_work():
    child("""
        import os, threading, warnings, counting
        warnings.simplefilter("ignore", DeprecationWarning)
        counting.count(2, 5)  # a fork while another thread imports hangs in Python itself
        work = threading.Thread(target=counting.count, args=(2, 30_000))
        work.start()
        while work.is_alive():
            process = os.fork()
            if not process:
                os._exit(counting.count(3, 50))
            assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 3
        assert counting.count(2, 50) == 2
    """)


@pytest.mark.parametrize("method", ["spawn", pytest.param("fork", marks=needs_fork)])
def test_workers_of_multiprocessing(method, tmp_path):
    (tmp_path / "pool.py").write_text(textwrap.dedent(f"""
        import multiprocessing, sys
        sys.path.insert(0, {str(FOLDER)!r})
        import counting
        def work(number): return counting.count(number, 50)
        if __name__ == "__main__":
            work(2)
            with multiprocessing.get_context({method!r}).Pool(2) as pool:
                print(pool.map(work, [1, 2, 3]))
    """))
    child(f"import runpy; runpy.run_path({str(tmp_path / 'pool.py')!r}, run_name='__main__')"
          if method == "fork" else
          f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, {str(tmp_path / 'pool.py')!r}]))",
          "[1, 2, 3]")


@pytest.mark.parametrize("ending", ["", "raise SystemExit(0)", "import time; time.sleep(0.01)",
                                    "import atexit; atexit.register(counting.count, 2, 5)",
                                    "threading.Thread(target=counting.count, args=(2, 10**9), daemon=True).start();"
                                    "counting.count(2, 5)"])
def test_python_ends_well_whatever_helpers_do(ending):
    for _ in range(2):
        child(f"import threading, counting\ncounting.count(3, 20)\n{ending}")


def test_the_number_of_threads_that_is_asked_for():
    before = thread_count.threads()
    try:
        for n in (3, np.int64(2), 1):
            thread_count.set_threads(n)
            assert thread_count.threads() == n and type(thread_count.threads()) is int
        for n in (0, -1, 1.5, True, "2", None, 10**6):
            with pytest.raises(ArgumentError, match="a whole number from 1 to 1024"):
                thread_count.set_threads(n)
        assert thread_count.threads() == 1
    finally:
        thread_count.set_threads(before)


def test_the_environment_may_give_the_number():
    source = """
        from tarazu.backend.native.threads.thread_count import threads
        try:
            print(threads())
        except ValueError as error:
            print(error.problem)
    """
    child(source, "5", TARAZU_THREADS="5")
    for text in ("0", "two", ""):
        child(source, f"TARAZU_THREADS={text}", TARAZU_THREADS=text)


@pytest.mark.parametrize("triple", ["aarch64-unknown-linux-gnu", "arm64-apple-macosx", "aarch64-pc-windows-msvc",
                                    "aarch64-unknown-freebsd"])
def test_the_code_can_be_made_for_other_systems(triple):
    target = aarch64(triple)
    for emit in (barrier.emit_barrier, barrier.emit_pool):
        module = Module()
        emit(module, target)
        assert object_code(module.text(target.attributes), target)


def test_what_calls_and_barriers_cost(capsys):
    address, block = counting.program().address("program"), np.zeros(counting.SLOTS + 64, np.int64)
    with capsys.disabled():
        for number in (1, 2, 4):
            start = time.perf_counter()
            for _ in range(1_000):
                pool.run(address, block.ctypes.data, number)
            call = (time.perf_counter() - start) / 1_000
            print(f"\n{number} threads: {1e6 * call:.1f} us per run, "
                  f"{1e9 * counting.seconds_per_barrier(number, 500):.0f} ns per barrier", end="")


@functools.cache
def late_program():
    """One thread, whose number and delay the block says, comes to the barrier later than the others."""
    target, module = host(), Module()
    wait = barrier.emit_barrier(module, target)
    f = module.function("program", [("ptr", "shared"), ("i64", "thread")], linkage="external")
    shared, thread = f.parameters.values()
    late, delay = (f.offset(shared, barrier.BLOCK_WORDS + i, "i64") for i in range(2))
    with f.when(f.compare("icmp eq", thread, f.load("i64", late, 8))), f.loop(0, f.load("i64", delay, 8)):
        f.emit("i64", f"load atomic i64, ptr {shared.text} seq_cst, align 8")
        pause(f, target)
    f.call("void", wait, shared, thread)
    f.ret()
    return Loaded(object_code(module.text(target.attributes), target))


def test_long_waits_of_the_first_thread_are_counted():
    def looks(late, delay):
        block = np.zeros(barrier.BLOCK_WORDS + 2, np.int64)
        block[barrier.BLOCK_WORDS:] = late, delay
        assert pool.run(late_program().address("program"), block.ctypes.data, 2) == 2
        return block[barrier.LOOKS]

    looks(1, 10)
    delay = barrier.MANY_SPINS // 2
    assert max(looks(1, delay) for _ in range(20)) > delay / 10
    assert min(looks(1, 10) for _ in range(20)) == 0, "a short wait is a part of the program"
    assert min(looks(0, delay) for _ in range(20)) == 0, "the other thread waits"
    assert 0 < pool.seconds_of_look() < 1e-5


def learned_nothing(monkeypatch):
    """The state of a process in which nothing has run, with two cores; gives its clock."""
    clock = [100.0]
    for name, value in {"_alone_until": 0.0, "_spell": 0.0, "_busy": 0.0, "_crowded_spells": 0, "_watch": None,
                        "_chosen": 4, "_backoff": thread_count.SHORTEST_BACKOFF, "cores": lambda: 2}.items():
        monkeypatch.setattr(thread_count, name, value)
    monkeypatch.setattr(thread_count.time, "perf_counter", lambda: clock[0])
    return clock


def test_few_short_runs_that_are_held_up_say_nothing(monkeypatch):
    learned_nothing(monkeypatch)
    for i in range(1, 2_001):
        thread_count.learn_from_run(*((2.1e-3, 0.7e-3) if i % 40 == 0 else (0.5e-3, 0.5e-3)))
    assert thread_count.helpful_threads() == 2
    for i in range(50):  # every fifth one waits for a core that another process has for 4 ms
        thread_count.learn_from_run(*((4.5e-3, 0.5e-3) if i % 5 == 0 else (0.5e-3, 0.5e-3)))
    assert thread_count.helpful_threads() == 1


def test_programs_go_on_alone_while_others_need_the_cores(monkeypatch):
    clock = learned_nothing(monkeypatch)
    assert thread_count.helpful_threads() == 2
    thread_count.learn_from_run(0.1, 0.05)
    assert thread_count.helpful_threads() == 2
    thread_count.learn_from_run(0.1, 0.05)
    assert thread_count.helpful_threads() == 1
    clock[0] += 2 * thread_count.SHORTEST_BACKOFF
    assert thread_count.helpful_threads() == 2
    thread_count.learn_from_run(0.1, 0.05)
    clock[0] += 1.5 * thread_count.SHORTEST_BACKOFF
    assert thread_count.helpful_threads() == 1, "the second time is longer"
    clock[0] += thread_count.SHORTEST_BACKOFF
    thread_count.learn_from_run(0.1, 0.1)
    thread_count.learn_from_run(0.1, 0.05)
    assert thread_count.helpful_threads() == 2


def test_they_take_threads_again_as_soon_as_a_core_is_idle(monkeypatch):
    clock, idle = learned_nothing(monkeypatch), [50.0]
    monkeypatch.setattr(thread_count, "idle_seconds", lambda: idle[0])

    def run_alone(seconds, idle_part):
        thread_count.watch_cores()
        clock[0], idle[0] = clock[0] + seconds, idle[0] + seconds * idle_part
        thread_count.learn_from_run_alone(seconds)
        return thread_count.helpful_threads()

    for _ in range(2):
        thread_count.learn_from_run(0.1, 0.05)
    assert [run_alone(0.1, 0.0) for _ in range(3)] == [1, 1, 1], "another process needs the core"
    clock[0], idle[0] = clock[0] + 0.1, idle[0] + 0.2  # nothing runs here: idle cores say nothing
    assert run_alone(0.01, 0.0) == 1
    assert run_alone(0.1, 1.0) == 2
    for _ in range(2):
        thread_count.learn_from_run(0.1, 0.05)
    monkeypatch.setattr(thread_count, "idle_seconds", lambda: None)
    assert [run_alone(0.1, 1.0) for _ in range(3)] == [1, 1, 1], "the system does not tell"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/stat")
def test_how_long_cores_have_been_idle():
    before = thread_count.idle_seconds()
    time.sleep(0.05)
    assert before > 0 and thread_count.idle_seconds() >= before
