"""The decoder on a CUDA device: one fused kernel a layer, replayed as CUDA graphs. The only package that needs Triton."""
