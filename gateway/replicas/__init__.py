"""The audio services below: which there are, whose turn it is, and what happens when one of them dies."""
