// SPDX-License-Identifier: MIT
//
// SQLite for the yardstick: a table without row ids whose primary key is the
// whole key, statements prepared once, everything in its cache, no fsync(). The
// journal is a write-ahead log: the cheapest that leaves no transaction half.
#include "yardstick.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static sqlite3 *database;
static sqlite3_stmt *put_row, *get_row, *scan_rows, *begin, *commit;

static void check(int status, int want)
{
    if (status != want) {
        yardstick_fail("sqlite", sqlite3_errmsg(database));
    }
}

static void run(const char *statement)
{
    check(sqlite3_exec(database, statement, NULL, NULL, NULL), SQLITE_OK);
}

static sqlite3_stmt *prepare(const char *text)
{
    sqlite3_stmt *statement;

    check(sqlite3_prepare_v3(database, text, -1, SQLITE_PREPARE_PERSISTENT,
                             &statement, NULL),
          SQLITE_OK);
    return statement;
}

static void open_store(const char *folder, uint64_t items)
{
    char path[4096];

    (void)items;
    snprintf(path, sizeof(path), "%s/sqlite", folder);
    check(sqlite3_open(path, &database), SQLITE_OK);
    run("PRAGMA locking_mode = EXCLUSIVE");
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = OFF");
    run("PRAGMA cache_size = -1000000");
    run("CREATE TABLE items (object INTEGER, type INTEGER, offset INTEGER, "
        "value BLOB, PRIMARY KEY (object, type, offset)) WITHOUT ROWID");
    put_row = prepare("REPLACE INTO items VALUES (?, ?, ?, ?)");
    get_row = prepare("SELECT value FROM items WHERE object = ? AND type = ? "
                      "AND offset = ?");
    scan_rows = prepare("SELECT value FROM items WHERE (object, type, offset) "
                        ">= (?, ?, ?) ORDER BY object, type, offset LIMIT ?");
    begin = prepare("BEGIN");
    commit = prepare("COMMIT");
}

static void close_store(void)
{
    sqlite3_stmt *all[] = {put_row, get_row, scan_rows, begin, commit};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        sqlite3_finalize(all[i]);
    }
    check(sqlite3_close(database), SQLITE_OK);
}

static void step(sqlite3_stmt *statement)
{
    check(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_reset(statement);
}

static void begin_one(void)
{
    step(begin);
}

static void commit_one(void)
{
    step(commit);
}

static void bind(sqlite3_stmt *statement, const struct yardstick_key *key)
{
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)key->object);
    sqlite3_bind_int(statement, 2, key->type);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)key->offset);
}

static void put(const struct yardstick_key *key, const void *value)
{
    bind(put_row, key);
    sqlite3_bind_blob(put_row, 4, value, YARDSTICK_VALUE_SIZE, SQLITE_STATIC);
    step(put_row);
}

static void get(const struct yardstick_key *key, void *value)
{
    bind(get_row, key);
    check(sqlite3_step(get_row), SQLITE_ROW);
    memcpy(value, sqlite3_column_blob(get_row, 0), YARDSTICK_VALUE_SIZE);
    sqlite3_reset(get_row);
}

static uint64_t scan(const struct yardstick_key *from, unsigned count,
                     unsigned *seen)
{
    uint64_t sum = 0;

    bind(scan_rows, from);
    sqlite3_bind_int(scan_rows, 4, (int)count);
    for (*seen = 0; sqlite3_step(scan_rows) == SQLITE_ROW; (*seen)++) {
        sum += yardstick_sum(sqlite3_column_blob(scan_rows, 0));
    }
    check(sqlite3_reset(scan_rows), SQLITE_OK);
    return sum;
}

const struct yardstick_engine yardstick_sqlite = {
    .name = "sqlite",
    .open = open_store,
    .close = close_store,
    .begin = begin_one,
    .put = put,
    .commit = commit_one,
    .get = get,
    .view_begin = begin_one,
    .view_end = commit_one,
    .scan = scan,
};
