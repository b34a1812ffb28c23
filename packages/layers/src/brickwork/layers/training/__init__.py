"""How a model learns: data in batches, losses and metrics of its outputs, the loop, and what it shows."""
