"""How the host and the kernels lay out what they share: plans, states of slots, pages, and what a code may be."""

# Tokens of one page of the cache: what one program of the attention kernel reads at a time.
PAGE_TOKENS = 64
# The columns of a slot's state [STATE_COLUMNS] int32; floats as their bits, the seed in two halves, low one first.
TOKEN, LENGTH, SPOKEN, ALIVE, TOP_K, TEMPERATURE, TOP_P, PENALTY, SEED = range(9)
STATE_COLUMNS = 10
# The columns of a plan [M, PLAN_COLUMNS] int32; token -1 stands for the newest of the slot.
SLOT, FLAGS, PLAN_TOKEN, PLAN_POSITION = range(4)
PLAN_COLUMNS = 4
# Flags of a row: whether it runs, and whether END_OF_SPEECH is legal at its frame border.
RUNS, MAY_END = 1, 2
# What a row's code may be beside 0..C-1, and C for END_OF_SPEECH.
BROKEN, NOT_RUN = -1, -2
