"""The HTTP door: OpenAI's speech API, its description, and the page that plays."""
