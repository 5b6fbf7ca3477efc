"""The decoder on a CUDA device: a fused kernel or two a layer, in CUDA graphs. The only package that needs Triton."""
