# SPDX-License-Identifier: MIT
#
# Commands and printers for GDB, connected to a kernel in QEMU:
#     source tools/gdb/pks.py
# `make debug' does that. docs/how-to/debug.md shows a session.

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(
    os.path.realpath(__file__))))
import brackets  # noqa: E402
import catching  # noqa: E402
import frames  # noqa: E402
import pagetable  # noqa: E402
import printers  # noqa: E402
import rights  # noqa: E402
import unwinding  # noqa: E402

rights.Pks()
pagetable.Walk()
frames.Frame()
brackets.Brackets()
catching.Catch()
printers.register()
unwinding.register()
