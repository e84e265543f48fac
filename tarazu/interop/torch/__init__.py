"""Modules of torch as models of Tarazu, by way of torch.export.

importing.py is `tz.interop.from_torch`; exporting.py has torch trace the module into ATen's operations; reading.py
makes steps of these; layout.py turns images to channels last; weights.py makes tensors of torch's; model.py is the
model; operations/ has what each operation of ATen computes. torch is imported when `from_torch` is called: a model that
is there, or loaded, needs none.
"""
