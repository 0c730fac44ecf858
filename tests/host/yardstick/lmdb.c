// SPDX-License-Identifier: MIT
//
// LMDB for the yardstick, the store's nearest relative: a copy-on-write B-tree
// that is mapped into memory. Pages are written in the map, without msync(). A
// key is 17 bytes that compare by memcmp().
#include "yardstick.h"

#include <lmdb.h>
#include <string.h>

#define KEY_SIZE 17
#define BYTES_PER_ITEM 1024

static MDB_env *environment;
static MDB_dbi database;
static MDB_txn *writer, *reader;
static MDB_cursor *cursor;

static void check(int status)
{
    if (status != 0) {
        yardstick_fail("lmdb", mdb_strerror(status));
    }
}

static void open_store(const char *folder, uint64_t items)
{
    check(mdb_env_create(&environment));
    check(mdb_env_set_mapsize(environment, (items + 20000) * BYTES_PER_ITEM));
    check(mdb_env_open(environment, folder,
                       MDB_WRITEMAP | MDB_NOSYNC | MDB_NOMETASYNC, 0600));
    check(mdb_txn_begin(environment, NULL, 0, &writer));
    check(mdb_dbi_open(writer, NULL, 0, &database));
    check(mdb_txn_commit(writer));
    check(mdb_txn_begin(environment, NULL, MDB_RDONLY, &reader));
    check(mdb_cursor_open(reader, database, &cursor));
    mdb_txn_reset(reader);
}

static void close_store(void)
{
    mdb_cursor_close(cursor);
    mdb_txn_abort(reader);
    mdb_env_close(environment);
}

static void begin(void)
{
    check(mdb_txn_begin(environment, NULL, 0, &writer));
}

static void commit(void)
{
    check(mdb_txn_commit(writer));
}

static MDB_val encode(const struct yardstick_key *key, uint8_t bytes[KEY_SIZE])
{
    uint64_t object = __builtin_bswap64(key->object);
    uint64_t offset = __builtin_bswap64(key->offset);

    memcpy(bytes, &object, 8);
    bytes[8] = key->type;
    memcpy(bytes + 9, &offset, 8);
    return (MDB_val){.mv_size = KEY_SIZE, .mv_data = bytes};
}

static void put(const struct yardstick_key *key, const void *value)
{
    uint8_t bytes[KEY_SIZE];
    MDB_val name = encode(key, bytes);
    MDB_val data = {YARDSTICK_VALUE_SIZE, (void *)value};

    check(mdb_put(writer, database, &name, &data, 0));
}

static int in_view;

static void view_begin(void)
{
    check(mdb_txn_renew(reader));
    in_view = 1;
}

static void view_end(void)
{
    mdb_txn_reset(reader);
    in_view = 0;
}

static void get(const struct yardstick_key *key, void *value)
{
    uint8_t bytes[KEY_SIZE];
    MDB_val name = encode(key, bytes), data;

    if (!in_view) {
        check(mdb_txn_renew(reader));
    }
    check(mdb_get(reader, database, &name, &data));
    memcpy(value, data.mv_data, YARDSTICK_VALUE_SIZE);
    if (!in_view) {
        mdb_txn_reset(reader);
    }
}

static uint64_t scan(const struct yardstick_key *from, unsigned count,
                     unsigned *seen)
{
    uint8_t bytes[KEY_SIZE];
    MDB_val name = encode(from, bytes), data;
    uint64_t sum = 0;
    int status;

    check(mdb_txn_renew(reader));
    check(mdb_cursor_renew(reader, cursor));
    status = mdb_cursor_get(cursor, &name, &data, MDB_SET_RANGE);
    for (*seen = 0; status == 0;) {
        sum += yardstick_sum(data.mv_data);
        if (++*seen == count) {
            break;
        }
        status = mdb_cursor_get(cursor, &name, &data, MDB_NEXT);
    }
    mdb_txn_reset(reader);
    return sum;
}

const struct yardstick_engine yardstick_lmdb = {
    .name = "lmdb",
    .open = open_store,
    .close = close_store,
    .begin = begin,
    .put = put,
    .commit = commit,
    .get = get,
    .view_begin = view_begin,
    .view_end = view_end,
    .scan = scan,
};
