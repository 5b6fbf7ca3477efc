"""The native engine on a CUDA device: a frame for all running streams is one graph of fused kernels."""
