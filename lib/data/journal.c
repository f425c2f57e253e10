/* SPDX-License-Identifier: MIT
 * journal.c - features in the order in which they were computed.
 *
 *     head     256 bytes of text: what the features depend on
 *     records  64 digits of the content's hash, 8 bytes: 1 for plain views, V x D floats, 8 bytes: a check value
 *
 * Records are written whole, those of some pictures at once, so they are in the system's hands when the process is
 * killed.  A machine that stops may lose those of the last seconds: reading ends at the first record whose check
 * value is wrong, and what is behind it is cut off. */
#include "data/journal.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/floats.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/os.h"
#include "base/out.h"
#include "data/dataset.h"
#include "model/encoder.h"

#define HEAD_BYTES 256
#define MARK "mopd journal "
#define HASH_DIGITS 64
#define WORD_BYTES sizeof(uint64_t)
#define SYNC_SECONDS 10

struct mo_journal {
    char *path;
    int fd;
    size_t n_floats, record_bytes;
    size_t n_records, n_left; /* written in all; by earlier runs */
    bool owned;               /* nobody else has the file, and it is a journal */
    char head[HEAD_BYTES];
    mo_map map;     /* what earlier runs have left */
    mo_buf waiting; /* records to be written */
    double synced;  /* when */
};

/* The head of this run's journal: a line each, filled up with spaces. */
static void fill_head(mo_journal *j, const mo_journal_run *run)
{
    memset(j->head, ' ', HEAD_BYTES);
    int n = snprintf(j->head, HEAD_BYTES,
        MARK "1\nfingerprint %s\nfeatures %u x %u from %u, %s, %s%s%s\nseed %llu\n", run->fingerprint,
        run->n_views, run->dim, run->first_view, mo_dataset_views_word(run->augmented, run->fixed),
        mo_encoder_precision_name(run->precision), run->scaled16 ? ", grey16 scaled" : "",
        run->upright ? ", upright" : "", (unsigned long long)run->seed);
    j->head[n] = ' ';
    j->head[HEAD_BYTES - 1] = '\n';
}

static size_t end_of(const mo_journal *j)
{
    return HEAD_BYTES + j->n_records * j->record_bytes;
}

static mopd_status write_bytes(const mo_journal *j, const void *bytes, size_t n)
{
    return mo_os_write(j->fd, bytes, n) ? MOPD_OK : mo_fail_errno(MOPD_E_IO, "%s: cannot write", j->path);
}

/* Cuts the file at `size` and goes on there. */
static mopd_status cut(const mo_journal *j, size_t size)
{
    if (mo_os_cut(j->fd, size)) return MOPD_OK;
    return mo_fail_errno(MOPD_E_IO, "%s: cannot cut at byte %zu", j->path, size);
}

static mopd_status lock_file(const mo_journal *j)
{
    mo_os_info info;
    if (!mo_os_info_file(&info, j->fd) || info.kind != MO_OS_REGULAR)
        return mo_fail(MOPD_E_IO, "%s: not an ordinary file", j->path);
    if (mo_os_hold(j->fd) == MO_OS_TAKEN)
        return mo_fail(MOPD_E_STATE, "%s: another process is encoding into it", j->path);
    return MOPD_OK; /* where files cannot be locked, nobody is kept out */
}

static const char *record_at(const mo_journal *j, size_t i)
{
    return (const char *)j->map.data + HEAD_BYTES + i * j->record_bytes;
}

static bool is_good(const mo_journal *j, const char *record)
{
    const size_t checked = j->record_bytes - WORD_BYTES;
    uint64_t check, plain;
    memcpy(&check, record + checked, sizeof check);
    memcpy(&plain, record + HASH_DIGITS, sizeof plain);
    if (check != mo_hash_bytes(record, checked) || plain > 1) return false;
    return mo_floats_finite((const float *)(const void *)(record + HASH_DIGITS + WORD_BYTES), j->n_floats);
}

/* What is there already: of this run, of another, of nobody. */
static mopd_status read_left(mo_journal *j)
{
    mopd_status st = mo_map_open(&j->map, j->path, MO_OS_MAPS_HOLD);
    if (st != MOPD_OK) return st;
    const size_t size = j->map.size, n_mark = strlen(MARK);
    if (memcmp(j->map.data, MARK, size < n_mark ? size : n_mark))
        return mo_fail(MOPD_E_FORMAT, "%s: not a journal of libmopd: move it away", j->path);
    if (size < HEAD_BYTES || memcmp(j->map.data, j->head, HEAD_BYTES)) return MOPD_OK;
    const size_t n = (size - HEAD_BYTES) / j->record_bytes;
    while (j->n_records < n && is_good(j, record_at(j, j->n_records))) j->n_records++;
    j->n_left = j->n_records;
    return MOPD_OK;
}

static mopd_status begin(mo_journal *j)
{
    mopd_status st = lock_file(j);
    if (st == MOPD_OK) st = read_left(j);
    if (st != MOPD_OK) return st;
    j->owned = true;
    if (j->n_left) return cut(j, end_of(j));
    mo_map_close(&j->map);
    st = cut(j, 0);
    return st == MOPD_OK ? write_bytes(j, j->head, HEAD_BYTES) : st;
}

mopd_status mo_journal_open(mo_journal **out, const char *path, const mo_journal_run *run)
{
    *out = NULL;
    mo_journal *j = mo_mem_calloc(1, sizeof *j);
    if (!j) return MOPD_E_NOMEM;
    j->fd = -1;
    j->synced = mo_os_clock();
    j->n_floats = (size_t)run->n_views * run->dim;
    j->record_bytes = HASH_DIGITS + WORD_BYTES + j->n_floats * sizeof(float) + WORD_BYTES;
    fill_head(j, run);
    mopd_status st = (j->path = mo_mem_strdup(path)) ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = mo_out_check_name(path);
    if (st == MOPD_OK) {
        j->fd = mo_os_open_growing(path);
        st = j->fd < 0 ? mo_fail_errno(MOPD_E_IO, "%s: cannot write", path) : begin(j);
    }
    if (st != MOPD_OK)
        mo_journal_close(j);
    else
        *out = j;
    return st;
}

mopd_status mo_journal_list(const mo_journal *j, mo_features_cache *cache)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < j->n_left && st == MOPD_OK; i++) {
        const char *record = record_at(j, i);
        const void *features = record + HASH_DIGITS + WORD_BYTES;
        st = mo_features_cache_add(
            cache, &(mo_features_entry){record, features, SIZE_MAX, record[HASH_DIGITS] != 0});
    }
    return st;
}

mopd_status mo_journal_add(mo_journal *j, const char *hash, bool plain, const float *features)
{
    const size_t start = j->waiting.size;
    const uint64_t word = plain;
    mopd_status st = mo_buf_add(&j->waiting, hash, HASH_DIGITS);
    if (st == MOPD_OK) st = mo_buf_add(&j->waiting, &word, sizeof word);
    if (st == MOPD_OK) st = mo_buf_add(&j->waiting, features, j->n_floats * sizeof *features);
    if (st != MOPD_OK) return st;
    const uint64_t check = mo_hash_bytes(j->waiting.data + start, j->waiting.size - start);
    return mo_buf_add(&j->waiting, &check, sizeof check);
}

mopd_status mo_journal_flush(mo_journal *j)
{
    if (!j->waiting.size) return MOPD_OK;
    mopd_status st = write_bytes(j, j->waiting.data, j->waiting.size);
    if (st != MOPD_OK) return st; /* half a record is seen when it is read */
    j->n_records += j->waiting.size / j->record_bytes;
    j->waiting.size = 0;
    if (mo_os_clock() - j->synced >= SYNC_SECONDS) {
        mo_os_sync(j->fd); /* a machine that stops loses no more than what came since */
        j->synced = mo_os_clock();
    }
    return MOPD_OK;
}

void mo_journal_close(mo_journal *j)
{
    mo_os_info info;
    if (!j) return;
    const bool holds = j->fd < 0 || !mo_os_info_file(&info, j->fd) || info.size > HEAD_BYTES;
    if (j->owned && !holds) mo_os_remove(j->path); /* while it is locked */
    if (j->fd >= 0) mo_os_close(j->fd);
    mo_map_close(&j->map);
    mo_buf_free(&j->waiting);
    mo_mem_free(j->path);
    mo_mem_free(j);
}
