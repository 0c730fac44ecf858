// SPDX-License-Identifier: MIT
#include "vault.h"

// A bug elsewhere: it writes where it has no business.
static void scribble(volatile char *where)
{
    *where = 0;
}

int app_main(int argc, char **argv)
{
    struct vault *vault = vault_create();
    if (vault == NULL || vault_put(vault, 7, "open sesame") != 0) {
        return 1;
    }
    if (argc > 1 && strcmp(argv[1], "bug") == 0) {
        scribble(page_direct_map_address(vault_page(vault)));
    }
    bool good = vault_matches(vault, 7, "open sesame");
    printf("the secret is %s\n", good ? "whole" : "damaged");
    vault_destroy(vault);
    return good ? 0 : 1;
}
