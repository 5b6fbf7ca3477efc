"""Measurements of the real stack. Every command prints one JSON object as its last line."""
