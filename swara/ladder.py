"""For which numbers of rows a piece of work on a GPU gets a CUDA graph of its own, wherever graphs are made."""


def ladder(most: int) -> list[int]:
    """Numbers of rows worth a graph of their own, up to and with `most`: a step is filled up to the next of them."""
    rungs = {rows for rows in (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 160, 192, 224) if rows < most}
    rungs |= set(range(256, most, 64))
    return sorted(rungs | {most})
