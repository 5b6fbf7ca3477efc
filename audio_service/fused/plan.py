"""The columns of a plan [B, P]: what a step is told about each of its rows, all int64."""

SOURCE = 0  # which state to read
TARGET = 1  # which state to write
FIRST_FRAME = 2
END_FRAME = 3
LOUDNESS = 4  # the bits of a float32
KEYS = 5  # one for each noise layer; the codes follow
