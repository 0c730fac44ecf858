// SPDX-License-Identifier: MIT
//
// A store of credentials. What is in it can be touched inside the calls below
// and nowhere else, by this thread and nobody else.
#pragma once

#include <keyhole.h>

#define VAULT_SECRET_MAX 56 // bytes

struct vault;

// An empty vault. NULL: out of memory.
struct vault *vault_create(void);

// Wipe it and give everything back.
void vault_destroy(struct vault *vault);

// Set a user's secret; user 0 is nobody. 0, or -EINVAL: no such user, or the
// secret is too long, or -ENOSPC: the vault is full.
int vault_put(struct vault *vault, uint32_t user, const char *secret);

// Whether this is the user's secret.
bool vault_matches(const struct vault *vault, uint32_t user, const char *guess);

// The frame behind it, for tests.
struct page *vault_page(const struct vault *vault);
