"""The constants of Philox 4x32-10, the counter-based random generator of every backend (Salmon, Moraes, Dror and Shaw,
"Parallel Random Numbers: As Easy as 1, 2, 3", 2011): a block of four words is a function of key and counter alone."""

from __future__ import annotations

MULTIPLIERS = 0xD2511F53, 0xCD9E8D57  # of the first and the third word of a counter
WEYL = 0x9E3779B9, 0xBB67AE85  # what is added to the words of the key between rounds
ROUNDS = 10
WORD = 0xFFFFFFFF  # a word with all its bits set
