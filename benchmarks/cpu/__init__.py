"""A training step on the CPU, ours beside PyTorch's and Keras's: `hatch run bench:cpu`.

`workloads` says what is trained, `models` and `torch_models` write it down, `sides` train it, each in a process of its
own (`worker`), `measure` has them take turns, and `__main__` prints what came of it.
"""
