"""What computes: tensors, the interpreters that run or trace primitives, gradients, jit, random generators, devices.

From the bottom up; each part imports only what stands before it:

    collection.py   blocks in which Python looks for no cycles
    trace_lock.py   one trace at a time, and how handles get other data
    compile.py      from a graph to a program; which backend jitted functions run on
    tiered.py       graphs that eager code runs: in NumPy, and as programs once they came often
    numpy_threads.py   a block in which NumPy computes on one thread
    device.py       where tensors are, and how they get elsewhere (`x.to`)
    interrupts.py   Ctrl-C that waits until a step is whole
    processes.py    what the processes of a distributed run exchange
    tensor/         the tensor, its operators, how it is made
    autograd/       gradients for users, and what is recorded for them
    trace/          the interpreter that traces; captures and guards
    eager.py        the interpreter that computes
    debug.py        `debug_nans`, an eager interpreter that looks at every result
    jit/            traced functions as programs, one for each signature
    profile.py      where the time of a jitted function goes
    random/         generators, distributions
    augment/        random changes of batches of images
    vmap/           one function for many examples, or many models
"""
