"""The words all Swara services share; imports no service."""
