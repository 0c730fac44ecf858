// SPDX-License-Identifier: MIT
#include "vault.h"

struct credential {
    uint32_t user; // 0: free
    uint32_t length;
    char secret[VAULT_SECRET_MAX];
};

#define CREDENTIALS (PAGE_SIZE / sizeof(struct credential))

// The handle is ordinary memory: it says where the secrets are, and holds none.
struct vault {
    struct domain *domain;
    struct page *page;
};

struct vault *vault_create(void)
{
    struct vault *vault = kzalloc(sizeof(*vault));
    if (vault == NULL) {
        return NULL;
    }
    vault->domain = domain_create("vault");
    if (vault->domain != NULL) {
        vault->page = alloc_page(vault->domain); // zeroed: all are free
    }
    if (vault->page == NULL) {
        vault_destroy(vault);
        return NULL;
    }
    return vault;
}

void vault_destroy(struct vault *vault)
{
    if (vault->page != NULL) {
        free_page(vault->page); // poisoned: no secret is left in it
    }
    if (vault->domain != NULL) {
        domain_destroy(vault->domain);
    }
    kfree(vault);
}

// The index of a user's credential, or CREDENTIALS. In a bracket.
static size_t find(const struct credential *all, uint32_t user)
{
    size_t i = 0;
    while (i < CREDENTIALS && all[i].user != user) {
        i++;
    }
    return i;
}

int vault_put(struct vault *vault, uint32_t user, const char *secret)
{
    size_t length = strlen(secret);
    if (user == 0 || length > VAULT_SECRET_MAX) {
        return -EINVAL;
    }
    struct credential *all = kmap_local_page(vault->page);
    size_t i = find(all, user);
    if (i == CREDENTIALS) {
        i = find(all, 0);
    }
    if (i < CREDENTIALS) {
        all[i].user = user;
        all[i].length = (uint32_t)length;
        memcpy(all[i].secret, secret, length);
    }
    kunmap_local(all);
    return i < CREDENTIALS ? 0 : -ENOSPC;
}

bool vault_matches(const struct vault *vault, uint32_t user, const char *guess)
{
    size_t length = strlen(guess);
    bool same = false;
    if (user == 0) {
        return false;
    }
    const struct credential *all = kmap_local_page_ro(vault->page);
    size_t i = find(all, user);
    if (i < CREDENTIALS && all[i].length == length) {
        // In place: a copy on the stack would be a secret that nobody guards.
        same = memcmp(all[i].secret, guess, length) == 0;
    }
    kunmap_local(all);
    return same;
}

struct page *vault_page(const struct vault *vault)
{
    return vault->page;
}
