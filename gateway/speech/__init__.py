"""One text as one unbroken stream of samples: its segments, their order, their pace."""
