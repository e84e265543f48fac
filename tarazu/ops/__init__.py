"""What users call: functions of tensors, each a few primitives put together."""
