// SPDX-License-Identifier: MIT
#include "vault.h"

TEST(vault, keeps_credentials)
{
    struct vault *vault = vault_create();
    CHECK(vault != NULL);
    CHECK_EQ(vault_put(vault, 7, "open sesame"), 0);
    CHECK_EQ(vault_put(vault, 8, "xyzzy"), 0);
    CHECK(vault_matches(vault, 7, "open sesame"));
    CHECK(!vault_matches(vault, 8, "open sesame"));
    CHECK_EQ(vault_put(vault, 0, "nobody"), -EINVAL);
    vault_destroy(vault);
}

// A pointer into the vault, got by luck or by reading memory.
TEST(vault, stray_pointer_is_refused)
{
    struct vault *vault = vault_create();
    CHECK(vault != NULL);
    CHECK_EQ(vault_put(vault, 7, "open sesame"), 0);

    volatile char *stray = page_direct_map_address(vault_page(vault));
    CHECK_REFUSED(ACCESS_WRITE, stray[8] = 'O');
    CHECK_REFUSED(ACCESS_READ, (void)stray[8]);
    CHECK(vault_matches(vault, 7, "open sesame"));
    vault_destroy(vault);
}

// Other memory being open does not open the vault.
TEST(vault, is_closed_while_others_are_open)
{
    struct vault *vault = vault_create();
    struct page *other = alloc_page(domain_ram);
    CHECK(vault != NULL && other != NULL);

    volatile char *stray = page_direct_map_address(vault_page(vault));
    char *buffer = kmap_local_page(other);
    buffer[0] = 1;
    CHECK_REFUSED(ACCESS_WRITE, *stray = 1);
    kunmap_local(buffer);
    free_page(other);
    vault_destroy(vault);
}

// Who only reads cannot damage what he reads.
TEST(vault, readers_cannot_write)
{
    struct vault *vault = vault_create();
    CHECK(vault != NULL);

    const volatile char *all = kmap_local_page_ro(vault_page(vault));
    CHECK_EQ(all[0], 0);
    CHECK_REFUSED(ACCESS_WRITE, *(volatile char *)all = 1);
    CHECK_EQ(all[0], 0);
    kunmap_local((const void *)all);
    vault_destroy(vault);
}

struct peek {
    const void *at;
    bool done;
    struct fault fault;
};

static void handler_peeks(void *arg)
{
    struct peek *peek = arg;
    char byte;
    peek->done = probe_read(peek->at, &byte, 1, &peek->fault);
}

// An interrupt inside a bracket does not get the bracket's right.
TEST(vault, handlers_are_shut_out)
{
    struct vault *vault = vault_create();
    CHECK(vault != NULL);
    void *all = kmap_local_page(vault_page(vault));
    struct peek peek = {.at = all};
    cpu_call(cpu_id(), handler_peeks, &peek);
    kunmap_local(all);
    vault_destroy(vault);
    if (protect_engine() != PROTECT_PKS) {
        SKIP("asks for a fault of PKS");
    }
    CHECK(!peek.done);
    CHECK_EQ(peek.fault.kind, FAULT_PKEY);
    CHECK_EQ(peek.fault.access, ACCESS_READ);
}

// Mistakes with the calls themselves.
TEST(vault, mistakes_are_reported)
{
    struct vault *vault = vault_create();
    CHECK(vault != NULL);

    char *all = kmap_local_page(vault_page(vault));
    CHECK_MISUSE(free_page(vault_page(vault)));
    CHECK_MISUSE(kunmap_local(all + 8));
    kunmap_local(all);
    CHECK_MISUSE(kunmap_local(all));
    vault_destroy(vault);
}
