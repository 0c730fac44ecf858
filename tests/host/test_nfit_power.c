// SPDX-License-Identifier: MIT
//
// What the NFIT says of power cuts, and what users are told of it: from the
// table's bytes to the warning.

#include "mm/pmem_find.h"
#include "tests/host/nfit_table.h"
#include "tests/host/tap.h"

// An NFIT like QEMU's, and its capabilities.
static void with_capabilities(uint8_t highest, uint8_t bits)
{
    uint8_t entry[16] = {7, 0, 16, 0, highest, 0, 0, 0, bits};
    nfit_begin();
    nfit_append(entry, sizeof(entry));
}

// Two addresses for module 1.
static void with_flush_hints(void)
{
    uint8_t entry[32] = {6, 0, 32, 0, 1, 0, 0, 0, 2};
    nfit_append(entry, sizeof(entry));
}

HOST_TEST(what_a_power_cut_leaves)
{
    with_capabilities(1, 2);
    CHECK(nfit_parse() == NULL);
    CHECK(!nfit_read.caches_durable && nfit_read.memory_durable);
    CHECK(!nfit_read.memory_lost);
    with_capabilities(0, 3);
    CHECK(nfit_parse() == NULL);
    CHECK(nfit_read.caches_durable && nfit_read.memory_durable);
    CHECK(!nfit_read.memory_lost);
    with_capabilities(0, 2); // a bit that is not valid
    CHECK(nfit_parse() == NULL);
    CHECK(!nfit_read.caches_durable && !nfit_read.memory_durable);
    CHECK(nfit_read.memory_lost);
    with_capabilities(32, 2); // more than there are
    CHECK(nfit_parse() == NULL);
    CHECK(!nfit_read.caches_durable && nfit_read.memory_durable);
    CHECK(!nfit_read.memory_lost);
    with_capabilities(255, 4);
    CHECK(nfit_parse() == NULL);
    CHECK(!nfit_read.caches_durable && !nfit_read.memory_durable);
    CHECK(nfit_read.memory_lost);
    nfit_put16(QEMU_NFIT_SIZE + LENGTH, 15);
    nfit_size--;
    CHECK(nfit_complains_of("too short"));
}

// Is there no warning, or one that says what it means?
static bool warns(const char *words)
{
    const char *problem = nfit_parse();
    const char *warning = pmem_power_warning(&nfit_read);
    if (problem != NULL) {
        printf("# %s\n", problem);
        return false;
    }
    if (warning == NULL || words == NULL) {
        return warning == words;
    }
    return strstr(warning, "may lose what pmem_persist()") != NULL &&
           strstr(warning, words) != NULL;
}

HOST_TEST(no_warning_where_memory_is_saved)
{
    with_capabilities(1, 2); // nvdimm-persistence=mem-ctrl
    CHECK(warns(NULL));
    with_capabilities(1, 3); // nvdimm-persistence=cpu
    CHECK(warns(NULL));
    with_capabilities(0, 1);
    CHECK(warns(NULL));
    with_flush_hints();
    CHECK(warns(NULL));
}

HOST_TEST(no_warning_where_nothing_is_said)
{
    image_acpi_pc(&nfit_image);
    CHECK(nfit_parse_image() == NULL);
    CHECK(pmem_power_warning(&nfit_read) == NULL);
    nfit_begin();
    CHECK(warns(NULL));
    with_flush_hints();
    CHECK(warns(NULL));
}

HOST_TEST(no_warning_without_a_range)
{
    with_capabilities(1, 0);
    nfit_entries[RANGE_GUID] ^= 1;
    CHECK(warns(NULL));
    nfit_entries[RANGE_GUID] ^= 1;
    nfit_put64(RANGE_LENGTH, 0);
    CHECK(nfit_complains_of("length 0"));
    CHECK(pmem_power_warning(&nfit_read) == NULL);
}

HOST_TEST(a_warning_where_memory_is_lost)
{
    with_capabilities(1, 0);
    CHECK(warns("there is no flush hint address"));
    with_flush_hints();
    CHECK(warns("which this kernel does not do"));
    with_capabilities(2, 4); // it mirrors, no more
    CHECK(warns("there is no flush hint address"));
    with_capabilities(0, 0);
    CHECK(warns("there is no flush hint address"));
}
