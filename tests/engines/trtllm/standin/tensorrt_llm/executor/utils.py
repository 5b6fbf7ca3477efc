"""The error that concerns one request alone."""


class RequestError(RuntimeError):
    """Anything else that is raised while iterating means that the executor is gone."""
