"""Tables to numbers, ours beside scikit-learn and skrub: `hatch run bench:prep`."""
