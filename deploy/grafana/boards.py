"""All dashboards, and what an expression needs beside Swara itself."""

from deploy.grafana import capacity, codec, engine, gpu, listeners, stages

BOARDS = (listeners.BOARD, stages.BOARD, engine.BOARD, codec.BOARD, capacity.BOARD, gpu.BOARD)

# Expressions with these series come back empty where there is no such exporter; every other one must not.
NEEDS = {"DCGM_": "a GPU and NVIDIA's DCGM exporter"}
