"""Frames in, PCM out: the decode sidecar of a token service."""
