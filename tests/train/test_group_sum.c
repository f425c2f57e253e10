/* SPDX-License-Identifier: MIT
 * test_group_sum.c - sums over ranks one by one: shares of the classes, heads that tell who failed or differs,
 * rows put together.  Ranks take turns here: each says first what it would add, then gets the sum of all. */
#include "test.h"

#include "base/mem.h"
#include "train/group.h"

enum { MOST = 5, ROOM = 64 + 16 };

/* What all ranks have said to a sum. */
typedef struct table {
    double said[MOST][ROOM];
    size_t n;
    uint32_t ranks;
    bool answers; /* false: only listens, and fails */
    mopd_status fails;
} table;

typedef struct seat {
    table *t;
    uint32_t rank;
} seat;

static mopd_status reduce(void *context, double *values, size_t n)
{
    seat *s = context;
    table *t = s->t;
    assert_true(n <= ROOM);
    if (!t->answers) {
        memcpy(t->said[s->rank], values, n * sizeof *values);
        t->n = n;
        return MOPD_E_IO;
    }
    if (t->fails != MOPD_OK) return t->fails;
    for (size_t i = 0; i < n; i++) {
        values[i] = 0;
        for (uint32_t r = 0; r < t->ranks; r++) values[i] += t->said[r][i];
    }
    return MOPD_OK;
}

static mopd_trainer_options options_of(uint32_t rank, uint32_t ranks, seat *s)
{
    mopd_trainer_options o;
    assert_ok(mopd_trainer_options_init(&o, sizeof o));
    o.rank = rank;
    o.ranks = ranks;
    o.reduce = reduce;
    o.reduce_context = s;
    return o;
}

/* One rank's part in a sum. */
typedef struct part {
    mopd_status st;
    mo_group_check check;
} part;

/* How a sum without payload ends for rank `of` when each rank has its part. */
static mopd_status sum_of(const part *parts, uint32_t ranks, uint32_t of)
{
    table t = {.ranks = ranks};
    seat seats[MOST];
    mo_group groups[MOST];
    for (uint32_t r = 0; r < ranks; r++) {
        seats[r] = (seat){&t, r};
        const mopd_trainer_options o = options_of(r, ranks, &seats[r]);
        assert_ok(mo_group_read(&groups[r], &o, 10));
        mo_group_agree(&groups[r], parts[r].st, parts[r].check);
        groups[r].broken = false;
    }
    t.answers = true;
    return mo_group_agree(&groups[of], parts[of].st, parts[of].check);
}

static const mo_group_check same = {42, "their options"};

static void classes_are_shared_out_evenly(void **state)
{
    (void)state;
    for (uint32_t ranks = 1; ranks <= 9; ranks++) {
        for (size_t n = 0; n <= 20; n++) {
            size_t next = 0, least = SIZE_MAX, most = 0;
            for (uint32_t r = 0; r < ranks; r++) {
                mo_group g;
                const mopd_trainer_options o = options_of(r, ranks, NULL);
                assert_ok(mo_group_read(&g, &o, n));
                if (g.n) assert_int_equal(g.first, next);
                next += g.n;
                least = g.n < least ? g.n : least;
                most = g.n > most ? g.n : most;
            }
            assert_int_equal(next, n);
            assert_true(most - least <= 1);
        }
    }
}

static void numbers_of_ranks_are_checked(void **state)
{
    (void)state;
    mo_group g;
    mopd_trainer_options o = options_of(0, 0, NULL);
    assert_ok(mo_group_read(&g, &o, 7));
    assert_true(g.ranks == 1 && g.rank == 0 && g.first == 0 && g.n == 7);
    o = options_of(1, 1, NULL);
    assert_fails(mo_group_read(&g, &o, 7), MOPD_E_ARG, "rank is 1, ranks is 1");
    o = options_of(1, 0, NULL);
    assert_fails(mo_group_read(&g, &o, 7), MOPD_E_ARG, "rank is 1, ranks is 0");
    o = options_of(3, 3, NULL);
    assert_fails(mo_group_read(&g, &o, 7), MOPD_E_ARG, "rank is 3, ranks is 3");
    assert_int_equal(g.ranks, 3); /* it can still tell the others */
    o = options_of(0, 2, NULL);
    o.reduce = NULL;
    assert_fails(mo_group_read(&g, &o, 7), MOPD_E_ARG, "ranks is 2, but reduce is NULL");
    assert_int_equal(g.ranks, 1);
    o = options_of(0, (1u << 20) + 1, NULL);
    assert_fails(mo_group_read(&g, &o, 7), MOPD_E_ARG, "ranks is 1048577, at most 1048576 are allowed");
    o = options_of(0, 1u << 20, NULL);
    assert_ok(mo_group_read(&g, &o, 7));
}

static void alone_nothing_is_summed(void **state)
{
    (void)state;
    mo_group g;
    mopd_trainer_options o = options_of(0, 1, NULL);
    o.reduce = NULL;
    assert_ok(mo_group_read(&g, &o, 3));
    assert_int_equal(mo_group_room(&g, 100), 0);
    assert_ok(mo_group_agree(&g, MOPD_OK, same));
    assert_int_equal(mo_group_agree(&g, MOPD_E_IO, same), MOPD_E_IO);
    assert_int_equal(mo_group_sum(&g, MOPD_E_NUMERIC, same, 5), MOPD_E_NUMERIC);
    float own[3] = {1, 2, 3}, all[3] = {7, 7, 7};
    assert_ok(mo_group_rows(&g, MOPD_OK, same, &(mo_group_table){own, all, 3, 1}));
    assert_true(all[0] == 7);
}

static void room_is_head_and_payload(void **state)
{
    (void)state;
    mo_group g;
    const mopd_trainer_options o = options_of(0, 2, NULL);
    assert_ok(mo_group_read(&g, &o, 3));
    assert_int_equal(mo_group_room(&g, 0), MO_GROUP_HEAD);
    assert_int_equal(mo_group_room(&g, 10), MO_GROUP_HEAD + 10);
    assert_int_equal(mo_group_room(&g, SIZE_MAX), SIZE_MAX);
    assert_int_equal(sizeof(mo_group_head) % sizeof(double), 0);
}

static void ranks_that_agree_go_on(void **state)
{
    (void)state;
    const part parts[MOST] = {
        {MOPD_OK, same}, {MOPD_OK, same}, {MOPD_OK, same}, {MOPD_OK, same}, {MOPD_OK, same}};
    for (uint32_t ranks = 2; ranks <= MOST; ranks++)
        for (uint32_t r = 0; r < ranks; r++) assert_ok(sum_of(parts, ranks, r));
}

/* Any difference in any bit is seen, on every rank, also where two differences might cancel out. */
static void ranks_that_differ_are_told(void **state)
{
    (void)state;
    for (int bit = 0; bit < 64; bit += 7) {
        const uint64_t bits = UINT64_C(0x123456789abcdef0);
        const part one[3] = {{MOPD_OK, {bits, "data"}}, {MOPD_OK, {bits, "data"}},
            {MOPD_OK, {bits ^ UINT64_C(1) << bit, "data"}}};
        const part two[4] = {{MOPD_OK, {bits + 1, "data"}}, {MOPD_OK, {bits - 1, "data"}},
            {MOPD_OK, {bits, "data"}}, {MOPD_OK, {bits, "data"}}};
        for (uint32_t r = 0; r < 3; r++) {
            assert_fails(sum_of(one, 3, r), MOPD_E_MISMATCH, "the ranks differ in data");
            assert_fails(sum_of(two, 4, r), MOPD_E_MISMATCH, "the ranks differ in data");
        }
    }
    const part places[2] = {{MOPD_OK, {1, "steps"}}, {MOPD_OK, {1, "epochs"}}};
    assert_fails(sum_of(places, 2, 0), MOPD_E_MISMATCH, "rank 0 of 2: the ranks differ in steps");
    assert_fails(sum_of(places, 2, 1), MOPD_E_MISMATCH, "rank 1 of 2: the ranks differ in epochs");
}

/* The rank that failed keeps its own message; the others learn status and number. */
static void a_failure_is_told_to_all(void **state)
{
    (void)state;
    static const mopd_status statuses[] = {MOPD_E_ARG, MOPD_E_NOMEM, MOPD_E_IO, MOPD_E_FORMAT, MOPD_E_VERSION,
        MOPD_E_MISMATCH, MOPD_E_UNSUPPORTED, MOPD_E_STATE, MOPD_E_CANCELLED, MOPD_E_NUMERIC, MOPD_E_INTERNAL};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        const part parts[3] = {{MOPD_OK, same}, {statuses[i], same}, {MOPD_OK, same}};
        assert_fails(sum_of(parts, 3, 0), statuses[i], "rank 1 of 3 failed: ");
        assert_non_null(strstr(mopd_last_error(), mopd_status_text(statuses[i])));
        assert_fails(sum_of(parts, 3, 2), statuses[i], "rank 1 of 3 failed: ");
        assert_int_equal(sum_of(parts, 3, 1), statuses[i]);
    }
}

static void of_several_failures_the_most_frequent_is_told(void **state)
{
    (void)state;
    const part parts[MOST] = {
        {MOPD_OK, same}, {MOPD_E_IO, same}, {MOPD_E_NOMEM, same}, {MOPD_E_NOMEM, same}, {MOPD_OK, same}};
    assert_fails(sum_of(parts, MOST, 0), MOPD_E_NOMEM, "3 of 5 ranks failed: ");
    assert_int_equal(sum_of(parts, MOST, 1), MOPD_E_IO);
    const part odd[2] = {{MOPD_OK, same}, {-77, same}}; /* a status that we do not know */
    assert_fails(sum_of(odd, 2, 0), MOPD_E_INTERNAL, "rank 1 of 2 failed: ");
}

/* A failure comes first: ranks that failed may have been elsewhere. */
static void a_failure_is_told_before_a_difference(void **state)
{
    (void)state;
    const part parts[2] = {{MOPD_OK, {1, "steps"}}, {MOPD_E_CANCELLED, {2, "epochs"}}};
    assert_fails(sum_of(parts, 2, 0), MOPD_E_CANCELLED, "rank 1 of 2 failed");
}

/* Sums that are not over ranks 0 to n - 1, each once. */
static void sums_of_the_wrong_ranks_are_told(void **state)
{
    (void)state;
    table t = {.ranks = 3};
    seat seats[3] = {{&t, 0}, {&t, 1}, {&t, 2}};
    mo_group groups[3];
    for (uint32_t r = 0; r < 3; r++) {
        const mopd_trainer_options o = options_of(r, 3, &seats[r]);
        assert_ok(mo_group_read(&groups[r], &o, 10));
        mo_group_agree(&groups[r], MOPD_OK, same);
        groups[r].broken = false;
    }
    t.answers = true;
    t.ranks = 2; /* the third is missing */
    assert_fails(
        mo_group_agree(&groups[0], MOPD_OK, same), MOPD_E_ARG, "reduce added up 2 ranks, the options say 3");
    t.ranks = 3;
    memcpy(t.said[2], t.said[1], sizeof t.said[1]); /* rank 1 is there twice */
    assert_fails(mo_group_agree(&groups[0], MOPD_OK, same), MOPD_E_ARG,
        "the ranks' numbers are not 0 to 2, each once");
    memset(t.said, 0, sizeof t.said); /* a reduce that gives zeros, and one that gives nothing */
    assert_fails(mo_group_agree(&groups[0], MOPD_OK, same), MOPD_E_ARG, "reduce added up 0 ranks");
    t.said[0][0] = NAN;
    assert_fails(mo_group_agree(&groups[0], MOPD_OK, same), MOPD_E_ARG, "reduce added up");
}

static void a_callback_that_fails_ends_all_sums(void **state)
{
    (void)state;
    table t = {.ranks = 2, .answers = true, .fails = MOPD_E_IO};
    seat s = {&t, 1};
    mo_group g;
    const mopd_trainer_options o = options_of(1, 2, &s);
    assert_ok(mo_group_read(&g, &o, 10));
    assert_fails(mo_group_agree(&g, MOPD_OK, same), MOPD_E_IO, "rank 1 of 2: reduce returned MOPD_E_IO");
    t.fails = MOPD_OK;
    assert_fails(mo_group_agree(&g, MOPD_OK, same), MOPD_E_STATE, "the ranks have lost each other");
    assert_int_equal(
        mo_group_agree(&g, MOPD_E_NUMERIC, same), MOPD_E_NUMERIC); /* its own failure is the nearer one */
}

/* Every rank gives its rows, and all have all, to the bit. */
static void rows_come_together_to_the_bit(void **state)
{
    (void)state;
    enum { ROWS = 7, DIM = 2, RANKS = 3 };
    float want[ROWS * DIM];
    test_random(want, ROWS * DIM, 1);
    want[3] = 1e-40f; /* a denormal */
    want[5] = -0.0f;
    table t = {.ranks = RANKS};
    seat seats[RANKS];
    mo_group groups[RANKS];
    double values[RANKS][ROOM];
    for (int round = 0; round < 2; round++) {
        t.answers = round == 1;
        for (uint32_t r = 0; r < RANKS; r++) {
            float all[ROWS * DIM];
            seats[r] = (seat){&t, r};
            const mopd_trainer_options o = options_of(r, RANKS, &seats[r]);
            assert_ok(mo_group_read(&groups[r], &o, ROWS));
            groups[r].values = values[r];
            const mo_group_table own = {want + groups[r].first * DIM, all, ROWS, DIM};
            mopd_status st = mo_group_rows(&groups[r], MOPD_OK, same, &own);
            if (!round) continue;
            assert_ok(st);
            for (int i = 0; i < ROWS * DIM; i++) assert_true(all[i] == want[i]);
        }
    }
}

static void a_payload_begins_with_zeros(void **state)
{
    (void)state;
    double values[ROOM];
    mo_group g;
    const mopd_trainer_options o = options_of(0, 2, NULL);
    assert_ok(mo_group_read(&g, &o, 3));
    memset(values, 0x55, sizeof values);
    g.values = values;
    double *payload = mo_group_payload(&g, 5);
    assert_ptr_equal(payload, values + MO_GROUP_HEAD);
    for (int i = 0; i < 5; i++) assert_true(payload[i] == 0);
    assert_true(payload[5] != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_shared_out_evenly),
        cmocka_unit_test(numbers_of_ranks_are_checked),
        cmocka_unit_test(alone_nothing_is_summed),
        cmocka_unit_test(room_is_head_and_payload),
        cmocka_unit_test(ranks_that_agree_go_on),
        cmocka_unit_test(ranks_that_differ_are_told),
        cmocka_unit_test(a_failure_is_told_to_all),
        cmocka_unit_test(of_several_failures_the_most_frequent_is_told),
        cmocka_unit_test(a_failure_is_told_before_a_difference),
        cmocka_unit_test(sums_of_the_wrong_ranks_are_told),
        cmocka_unit_test(a_callback_that_fails_ends_all_sums),
        cmocka_unit_test(rows_come_together_to_the_bit),
        cmocka_unit_test(a_payload_begins_with_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
