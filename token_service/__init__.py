"""The token service: text to prompt to tokens to frames."""
