# SPDX-License-Identifier: MIT
#
# CRC-32C (Castagnoli) of long pieces of memory, in Python alone and fast enough
# for whole images: 16 KiB in about a tenth of a millisecond. Nothing of it is
# how the kernel does it, so that the two can check each other.
#
# A message is a polynomial over GF(2) and its CRC the remainder modulo P, so
# whatever is divisible by P may be added to it. There are multiples of P with
# very few terms. Adding one of those, times the lowest bits of the message all
# at once, clears those bits by a few shifts of one long integer. And since
# f(x)^2 = f(x^2), the same terms twice as far apart are a multiple as well: long
# messages are folded in long steps. The last bytes go through a table.

REVERSED = 0x82f63b78       # P without x^32, the lowest bit for x^31

# Exponents of multiples of P, beside the term 1. The largest comes last, and is
# so much larger than the others that half of the bits go at once.
FOUR_TERMS = (426, 1362, 5685)
SIX_TERMS = (71, 88, 121, 143, 266)
DOUBLINGS = 3               # 5685 << 3 bits: as long as pays for 16 KiB

ENOUGH_BYTES = 64           # below this the table alone is as fast


def table_entry(value):
    for _ in range(8):
        value = value >> 1 ^ (REVERSED if value & 1 else 0)
    return value


TABLE = [table_entry(value) for value in range(256)]


def steps():
    """(length, offsets) of each multiple, the longest first: bit 0 may be
    exchanged for the bits at these offsets, which is what reflection makes of
    the exponents."""
    for terms, doublings in ((FOUR_TERMS, DOUBLINGS), (SIX_TERMS, 0)):
        for shift in range(doublings, -1, -1):
            length = terms[-1] << shift
            near = [length - (term << shift) for term in terms[:-1]]
            yield length, sorted(near) + [length]


STEPS = list(steps())


def crc32c(data):
    """The CRC of a bytes-like object, as the store's blocks carry it."""
    bits = 8 * len(data) + 32
    message = int.from_bytes(data, "little") ^ 0xffffffff
    if len(data) >= ENOUGH_BYTES:
        for length, offsets in STEPS:
            # Whole bytes, for the table's sake.
            while (count := min(offsets[0], bits - length) & ~7) > 0:
                low = message & (1 << count) - 1
                message >>= count
                for offset in offsets:
                    message ^= low << offset - count
                bits -= count
    while bits > 32:
        message = message >> 8 ^ TABLE[message & 0xff]
        bits -= 8
    return message ^ 0xffffffff


def flipped_bit(length, difference):
    """Where one flipped bit in `length` bytes changes the CRC by `difference`:
    (byte, bit), or None if no single one does."""
    register = 1
    for at in range(length - 1, -1, -1):
        for bit in range(7, -1, -1):
            register = register >> 1 ^ (REVERSED if register & 1 else 0)
            if register == difference:
                return at, bit
    return None
