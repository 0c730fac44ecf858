# SPDX-License-Identifier: MIT
#
# `make help`: the targets that have a "##" comment, and the variables that
# have a "#:" comment, in the Makefile's order.

BEGIN { print "make [TARGET] [VARIABLE=VALUE]...\n\nTargets:" }

/^[a-z-]+:.*## / {
    split($0, part, /:.*## /)
    printf "  %-14s%s\n", part[1], part[2]
}

/^[A-Z]+ :=.*#: / {
    split($0, part, /#: /)
    name = part[1]
    sub(/ .*/, "", name)
    value = part[1]
    sub(/^[^=]*= */, "", value)
    if (value ~ /^[^$]/) {
        part[2] = part[2] " [" value "]"
    }
    variables = variables sprintf("  %-14s%s\n", name, part[2])
}

END { printf "\nVariables:\n%s", variables }
