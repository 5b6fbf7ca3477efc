"""Engines that run a speech language model; each is imported only when it is chosen."""
