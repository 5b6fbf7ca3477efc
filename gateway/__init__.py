"""The public door: text in over gRPC, HTTP and WebSocket, live PCM out."""
