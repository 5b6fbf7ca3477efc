"""The WebSocket doors: /ws/tts and /ws/stream."""
