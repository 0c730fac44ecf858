#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Stands in for QEMU and a guest with persistent memory: fake_guest.py BEHAVIOUR,
# then QEMU's arguments. Keeps a generation and the number of its last
# transaction in the file, and says what tools/crash-rounds wants to hear. Each
# behaviour but the good ones has a bug of its own.

import os
import re
import signal
import struct
import sys
import time

STATE = struct.Struct("<QQ")
PAUSE_S = 0.002
GOOD = ("good", "slow", "waits")


def say(text, slowly=False):
    data = text.encode() + b"\r\n"
    pieces = [data[i:i + 1] for i in range(len(data))] if slowly else [data]
    for piece in pieces:
        os.write(1, piece)
        time.sleep(PAUSE_S if slowly else 0)


def mount(behaviour, generation, transaction):
    clean = "clean"
    if behaviour == "half" and transaction:
        clean = f"transaction {transaction} is half there"
    line = f"mounted generation {generation} transaction {transaction}"
    if behaviour != "silent":
        line += f" check {clean}"
    if behaviour == "hasty":
        say(f"ack {transaction + 1}")
    say("noise, as a kernel makes it: ack 99")
    say(line, behaviour == "slow")
    if behaviour == "twice":
        say(line)


def transactions(behaviour, file, generation, transaction):
    """Until killed."""
    while True:
        transaction += 1
        generation += behaviour != "still"
        ahead = 2 if behaviour == "ahead" else 0
        if behaviour != "lost" or transaction % 20 == 0:
            file.seek(0)
            file.write(STATE.pack(generation, transaction + ahead))
        if behaviour == "waits":
            time.sleep(20 * PAUSE_S)
        if behaviour == "skips":
            transaction += 1
        say(f"ack {transaction}", behaviour == "slow")
        if behaviour == "ends" and transaction % 5 == 0:
            say("Bail out! no more")
            sys.exit(37)
        time.sleep(PAUSE_S)


def main():
    behaviour = sys.argv[1]
    signal.signal(signal.SIGTERM, signal.SIG_IGN)   # only SIGKILL is a crash
    path = re.search(r"mem-path=([^,]*)", " ".join(sys.argv))[1]
    with open(path + ".pids", "a", encoding="utf-8") as pids:
        pids.write(f"{os.getpid()}\n")
    if behaviour == "hangs":
        time.sleep(60)
    with open(path, "r+b", buffering=0) as file:
        generation, transaction = STATE.unpack(file.read(STATE.size))
        if behaviour == "back" and generation:
            generation -= 1
        time.sleep(50 * PAUSE_S)
        mount(behaviour, generation, transaction)
        transactions(behaviour, file, generation, transaction)


main()
