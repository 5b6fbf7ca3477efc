"""The gRPC door: SpeechService."""
