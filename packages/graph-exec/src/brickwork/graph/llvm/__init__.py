"""Machine code for a CPU: kernels to LLVM text, and the one place that knows LLVM."""
