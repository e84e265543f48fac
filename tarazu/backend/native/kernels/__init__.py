"""From one launch to the LLVM IR of its kernel."""
