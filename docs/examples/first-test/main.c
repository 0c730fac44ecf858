// SPDX-License-Identifier: MIT
#include <keyhole.h>

int app_main(int argc, char **argv)
{
    printf("%s has %d arguments\n", argv[0], argc - 1);
    return 0;
}
