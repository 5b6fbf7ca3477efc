"""The native engine: a frame at a time for all running streams, on the CPU."""
