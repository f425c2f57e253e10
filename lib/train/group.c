/* SPDX-License-Identifier: MIT
 * group.c - heads written and judged, rows gathered as sums with zeroes (x + 0 = x). */
#include "train/group.h"

#include <string.h>

#include "base/hash.h"
#include "base/ints.h"
#include "base/mem.h"
#include "base/rng.h"

#define MAX_RANKS (UINT32_C(1) << 20) /* as many squares of 16 bits add up exactly */

/* A number of 32 bits for each rank: their sum shows ranks that are missing or there twice. */
static double rank_code(uint32_t rank)
{
    return (double)(mo_rng_mix(rank, MAX_RANKS) >> 32);
}

mopd_status mo_group_read(mo_group *group, const mopd_trainer_options *o, size_t n_classes)
{
    *group = (mo_group){.ranks = 1, .n = n_classes};
    if (o->rank >= (o->ranks ? o->ranks : 1) && (o->ranks < 2 || !o->reduce))
        return mo_fail(MOPD_E_ARG, "rank is %u, ranks is %u", (unsigned)o->rank, (unsigned)o->ranks);
    if (o->ranks < 2) return MOPD_OK;
    if (!o->reduce) return mo_fail(MOPD_E_ARG, "ranks is %u, but reduce is NULL", (unsigned)o->ranks);
    if (o->ranks > MAX_RANKS)
        return mo_fail(
            MOPD_E_ARG, "ranks is %u, at most %u are allowed", (unsigned)o->ranks, (unsigned)MAX_RANKS);
    *group =
        (mo_group){.rank = o->rank, .ranks = o->ranks, .reduce = o->reduce, .context = o->reduce_context};
    for (uint32_t r = 0; r < o->ranks; r++) group->rank_codes += rank_code(r);
    if (o->rank >= o->ranks)
        return mo_fail(MOPD_E_ARG, "rank is %u, ranks is %u", (unsigned)o->rank, (unsigned)o->ranks);
    group->first = mo_cut(n_classes, o->ranks, o->rank);
    group->n = mo_cut(n_classes, o->ranks, o->rank + 1) - group->first;
    return MOPD_OK;
}

size_t mo_group_room(const mo_group *group, size_t n)
{
    size_t room;
    if (group->ranks < 2) return 0;
    return mo_add(n, MO_GROUP_HEAD, &room) ? room : SIZE_MAX;
}

double *mo_group_payload(mo_group *group, size_t n)
{
    double *payload = group->values + MO_GROUP_HEAD;
    for (size_t i = 0; i < n; i++) payload[i] = 0;
    return payload;
}

static mo_group_head make_head(const mo_group *group, mopd_status st, mo_group_check check)
{
    mo_group_head h = {.ranks = 1, .rank_codes = rank_code(group->rank)};
    uint64_t bits = mo_rng_mix(check.bits, mo_hash_bytes(check.what, strlen(check.what)));
    for (size_t i = 0; i < 4; i++) {
        h.check[i] = (double)(bits >> 16 * i & 0xffff);
        h.square[i] = h.check[i] * h.check[i];
    }
    if (st == MOPD_OK) return h;
    h.failed[st < 0 && st > -MO_GROUP_STATUSES ? -st : 0] = 1;
    h.failed_rank = group->rank;
    return h;
}

/* Others failed: the status most of them have. */
static mopd_status judge_failures(const mo_group *group, const mo_group_head *all)
{
    double n = 0;
    int most = 0;
    for (int i = 0; i < MO_GROUP_STATUSES; i++) {
        n += all->failed[i];
        if (all->failed[i] > all->failed[most]) most = i;
    }
    if (!(n > 0)) return MOPD_OK;
    mopd_status st = most ? -most : MOPD_E_INTERNAL;
    if (n > 1) return mo_fail(st, "%.0f of %u ranks failed: %s", n, (unsigned)group->ranks, mo_fail_text(st));
    return mo_fail(
        st, "rank %.0f of %u failed: %s", all->failed_rank, (unsigned)group->ranks, mo_fail_text(st));
}

static mopd_status judge(
    const mo_group *group, const mo_group_head *mine, const mo_group_head *all, const char *what)
{
    double ranks = group->ranks;
    if (!(all->ranks == ranks))
        return mo_fail(
            MOPD_E_ARG, "reduce added up %.6g ranks, the options say %u", all->ranks, (unsigned)group->ranks);
    mopd_status st = judge_failures(group, all);
    if (st != MOPD_OK) return st;
    if (!(all->rank_codes == group->rank_codes))
        return mo_fail(
            MOPD_E_ARG, "the ranks' numbers are not 0 to %u, each once", (unsigned)group->ranks - 1);
    for (size_t i = 0; i < 4; i++)
        if (!(all->check[i] == ranks * mine->check[i] && all->square[i] == ranks * mine->square[i]))
            return mo_fail(MOPD_E_MISMATCH, "rank %u of %u: the ranks differ in %s", (unsigned)group->rank,
                (unsigned)group->ranks, what);
    return MOPD_OK;
}

mopd_status mo_group_sum(mo_group *group, mopd_status st, mo_group_check check, size_t n)
{
    mo_group_head mine, all;
    if (group->ranks < 2) return st;
    if (group->broken)
        return st != MOPD_OK
                   ? st
                   : mo_fail(MOPD_E_STATE, "reduce has failed before: the ranks have lost each other");
    double *values = n ? group->values : (double *)&all;
    mine = make_head(group, st, check);
    memcpy(values, &mine, sizeof mine);
    mopd_status reduced = group->reduce(group->context, values, MO_GROUP_HEAD + n);
    if (reduced != MOPD_OK) {
        group->broken = true;
        return st != MOPD_OK ? st
                             : mo_fail(reduced, "rank %u of %u: reduce returned %s", (unsigned)group->rank,
                                   (unsigned)group->ranks, mo_fail_name(reduced));
    }
    if (n) memcpy(&all, values, sizeof all);
    return st != MOPD_OK ? st : judge(group, &mine, &all, check.what);
}

mopd_status mo_group_agree(mo_group *group, mopd_status st, mo_group_check check)
{
    return mo_group_sum(group, st, check, 0);
}

mopd_status mo_group_rows(mo_group *group, mopd_status st, mo_group_check check, const mo_group_table *table)
{
    if (group->ranks < 2) return st;
    size_t n = table->n_classes * table->dim, at = group->first * table->dim;
    double *payload = mo_group_payload(group, n);
    for (size_t i = 0; st == MOPD_OK && i < group->n * table->dim; i++)
        payload[at + i] = (double)table->own[i];
    if ((st = mo_group_sum(group, st, check, n)) != MOPD_OK) return st;
    for (size_t i = 0; i < n; i++) table->all[i] = (float)payload[i];
    return MOPD_OK;
}
