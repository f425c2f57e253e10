/* SPDX-License-Identifier: MIT
 * team.c - heads written and judged, rows gathered as sums with zeroes (x + 0 = x). */
#include "train/team.h"

#include <string.h>

#include "base/hash.h"
#include "base/rng.h"

#define MAX_RANKS (UINT32_C(1) << 20) /* as many squares of 16 bits add up exactly */

/* A number of 32 bits for each rank: their sum shows ranks that are missing or there twice. */
static double place(uint32_t rank)
{
    return (double)(mo_rng_mix(rank, MAX_RANKS) >> 32);
}

mopd_status mo_team_read(mo_team *team, const mopd_trainer_options *o, size_t n_classes)
{
    *team = (mo_team){.ranks = 1, .n = n_classes};
    if (o->rank >= (o->ranks ? o->ranks : 1) && (o->ranks < 2 || !o->reduce))
        return mo_fail(MOPD_E_ARG, "rank is %u, ranks is %u", (unsigned)o->rank, (unsigned)o->ranks);
    if (o->ranks < 2) return MOPD_OK;
    if (!o->reduce) return mo_fail(MOPD_E_ARG, "ranks is %u, but reduce is NULL", (unsigned)o->ranks);
    if (o->ranks > MAX_RANKS)
        return mo_fail(
            MOPD_E_ARG, "ranks is %u, at most %u are allowed", (unsigned)o->ranks, (unsigned)MAX_RANKS);
    *team = (mo_team){.rank = o->rank, .ranks = o->ranks, .reduce = o->reduce, .context = o->reduce_context};
    for (uint32_t r = 0; r < o->ranks; r++) team->places += place(r);
    if (o->rank >= o->ranks)
        return mo_fail(MOPD_E_ARG, "rank is %u, ranks is %u", (unsigned)o->rank, (unsigned)o->ranks);
    size_t share = n_classes / o->ranks, more = n_classes % o->ranks;
    team->n = share + (o->rank < more);
    team->first = o->rank * share + (o->rank < more ? o->rank : more);
    return MOPD_OK;
}

size_t mo_team_room(const mo_team *team, size_t n)
{
    size_t room;
    if (team->ranks < 2) return 0;
    return mo_add(n, MO_TEAM_HEAD, &room) ? room : SIZE_MAX;
}

double *mo_team_payload(mo_team *team, size_t n)
{
    double *payload = team->values + MO_TEAM_HEAD;
    for (size_t i = 0; i < n; i++) payload[i] = 0;
    return payload;
}

static mo_team_head make_head(const mo_team *team, mopd_status st, mo_team_word word)
{
    mo_team_head h = {.ranks = 1, .places = place(team->rank)};
    uint64_t bits = mo_rng_mix(word.bits, mo_hash64(word.what, strlen(word.what)));
    for (size_t i = 0; i < 4; i++) {
        h.word[i] = (double)(bits >> 16 * i & 0xffff);
        h.square[i] = h.word[i] * h.word[i];
    }
    if (st == MOPD_OK) return h;
    h.failed[st < 0 && st > -MO_TEAM_STATUSES ? -st : 0] = 1;
    h.failed_rank = team->rank;
    return h;
}

/* Others failed: the status most of them have. */
static mopd_status judge_failures(const mo_team *team, const mo_team_head *all)
{
    double n = 0;
    int most = 0;
    for (int i = 0; i < MO_TEAM_STATUSES; i++) {
        n += all->failed[i];
        if (all->failed[i] > all->failed[most]) most = i;
    }
    if (!(n > 0)) return MOPD_OK;
    mopd_status st = most ? -most : MOPD_E_INTERNAL;
    if (n > 1)
        return mo_fail(st, "%.0f of %u ranks failed: %s", n, (unsigned)team->ranks, mopd_status_text(st));
    return mo_fail(
        st, "rank %.0f of %u failed: %s", all->failed_rank, (unsigned)team->ranks, mopd_status_text(st));
}

static mopd_status judge(
    const mo_team *team, const mo_team_head *mine, const mo_team_head *all, const char *what)
{
    double ranks = team->ranks;
    if (!(all->ranks == ranks))
        return mo_fail(
            MOPD_E_ARG, "reduce added up %.6g ranks, the options say %u", all->ranks, (unsigned)team->ranks);
    mopd_status st = judge_failures(team, all);
    if (st != MOPD_OK) return st;
    if (!(all->places == team->places))
        return mo_fail(
            MOPD_E_ARG, "the ranks' numbers are not 0 to %u, each once", (unsigned)team->ranks - 1);
    for (size_t i = 0; i < 4; i++)
        if (!(all->word[i] == ranks * mine->word[i] && all->square[i] == ranks * mine->square[i]))
            return mo_fail(MOPD_E_MISMATCH, "rank %u of %u: the ranks differ in %s", (unsigned)team->rank,
                (unsigned)team->ranks, what);
    return MOPD_OK;
}

mopd_status mo_team_sum(mo_team *team, mopd_status st, mo_team_word word, size_t n)
{
    mo_team_head mine, all;
    if (team->ranks < 2) return st;
    if (team->broken)
        return st != MOPD_OK
                   ? st
                   : mo_fail(MOPD_E_STATE, "reduce has failed before: the ranks have lost each other");
    double *values = n ? team->values : (double *)&all;
    mine = make_head(team, st, word);
    memcpy(values, &mine, sizeof mine);
    mopd_status reduced = team->reduce(team->context, values, MO_TEAM_HEAD + n);
    if (reduced != MOPD_OK) {
        team->broken = true;
        return st != MOPD_OK ? st
                             : mo_fail(reduced, "rank %u of %u: reduce returned %s", (unsigned)team->rank,
                                   (unsigned)team->ranks, mopd_status_name(reduced));
    }
    if (n) memcpy(&all, values, sizeof all);
    return st != MOPD_OK ? st : judge(team, &mine, &all, word.what);
}

mopd_status mo_team_agree(mo_team *team, mopd_status st, mo_team_word word)
{
    return mo_team_sum(team, st, word, 0);
}

mopd_status mo_team_rows(mo_team *team, mopd_status st, mo_team_word word, const mo_team_table *table)
{
    if (team->ranks < 2) return st;
    size_t n = table->n_classes * table->dim, at = team->first * table->dim;
    double *payload = mo_team_payload(team, n);
    for (size_t i = 0; st == MOPD_OK && i < team->n * table->dim; i++)
        payload[at + i] = (double)table->own[i];
    if ((st = mo_team_sum(team, st, word, n)) != MOPD_OK) return st;
    for (size_t i = 0; i < n; i++) table->all[i] = (float)payload[i];
    return MOPD_OK;
}
