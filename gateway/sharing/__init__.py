"""One synthesis, many listeners: at this gateway or at another."""
