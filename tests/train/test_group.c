/* SPDX-License-Identifier: MIT
 * test_group.c - one training on many ranks: threads that meet in a reduction of their own, against the same
 * training alone; what fails on one rank ends on all. */
#include "test.h"

#include <pthread.h>

#include "support/tiny.h"
#include "train/trainer.h"

enum { C = TINY_CLASSES, SHOTS = 4, N = C * SHOTS, D = TINY_DIM, W = TINY_WIDTH, MOST = 8, EPOCHS = 4 };

static mopd_encoder *encoder;
static float features[N * D];
static int32_t labels[N];

static const char *const templates[] = {
    "a photo of a {}.", "{} it is", "no {}!", "a {} of a {}", "is it {}?"};

/* Where the threads' values are added up, in the order of the ranks, by whoever comes last. */
typedef struct meeting {
    pthread_mutex_t lock;
    pthread_cond_t all_here;
    uint32_t ranks, n_here;
    size_t round, n_rounds; /* rounds after which reduce fails on all; 0: never */
    bool lost;
    double *values[MOST];
} meeting;

typedef struct member {
    meeting *m;
    uint32_t rank;
    mopd_trainer_options o;
    mopd_run run;
    mopd_trainer *t;
    mopd_status st;
    char message[256];
    double noise;         /* added to what this rank gets */
    uint32_t n_steps;     /* on_step stops after as many; 0: never */
    uint32_t n_asked;     /* on_stop abandons a step when asked as often; 0: never */
    uint32_t broken_view; /* the views of this epoch fail */
    float *batch;         /* steps by hand: 8 x D */
    double loss;
} member;

static void add_up(meeting *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (uint32_t r = 0; r < m->ranks; r++) sum += m->values[r][i];
        for (uint32_t r = 0; r < m->ranks; r++) m->values[r][i] = sum;
    }
}

/* Nobody waits for ever: a rank that does not come at all is a failure of the test. */
static bool wait_round(meeting *m, size_t round)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += TEST_PATIENCE;
    while (m->round == round && !m->lost)
        if (pthread_cond_timedwait(&m->all_here, &m->lock, &end)) m->lost = true;
    return !m->lost;
}

static mopd_status meet(void *context, double *values, size_t n)
{
    member *me = context;
    meeting *m = me->m;
    bool found = true;
    pthread_mutex_lock(&m->lock);
    m->values[me->rank] = values;
    if (m->n_rounds && m->round == m->n_rounds) {
        found = false;
    } else if (++m->n_here == m->ranks) {
        m->n_here = 0;
        m->round++;
        add_up(m, n);
        pthread_cond_broadcast(&m->all_here);
    } else {
        found = wait_round(m, m->round);
    }
    pthread_mutex_unlock(&m->lock);
    if (found && n > MO_GROUP_HEAD) values[MO_GROUP_HEAD] += me->noise;
    return found ? MOPD_OK : MOPD_E_IO;
}

static mopd_trainer_options options(int32_t method)
{
    mopd_trainer_options o;
    assert_ok(mopd_trainer_options_init(&o, sizeof o));
    o.method = method;
    o.epochs = EPOCHS;
    o.batch = 8;
    o.lr = 0.02f;
    o.warmup_lr = 0.01f;
    o.templates = templates;
    o.n_templates = 5;
    return o;
}

static int on_step(void *context, const mopd_step *step)
{
    member *me = context;
    (void)step;
    return me->n_steps && !--me->n_steps;
}

static int on_stop(void *context)
{
    member *me = context;
    return me->n_asked && !--me->n_asked;
}

static int on_epoch(void *context, const mopd_epoch *epoch)
{
    ((member *)context)->loss = epoch->loss;
    return 0;
}

static mopd_status views(void *context, uint32_t epoch, float *out)
{
    const member *me = context;
    memcpy(out, features, sizeof features);
    return epoch == me->broken_view ? MOPD_E_IO : MOPD_OK;
}

static void gather(meeting *m, member *members, uint32_t ranks, const mopd_trainer_options *o)
{
    memset(m, 0, sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->all_here, NULL);
    m->ranks = ranks;
    for (uint32_t r = 0; r < ranks; r++) {
        member *me = &members[r];
        *me = (member){.m = m, .rank = r, .o = *o};
        me->o.rank = r;
        me->o.ranks = ranks;
        me->o.reduce = meet;
        me->o.reduce_context = me;
        assert_ok(mopd_run_init(&me->run, sizeof me->run));
        me->run.n = N;
        me->run.features = features;
        me->run.labels = labels;
        me->run.on_step = on_step;
        me->run.on_epoch = on_epoch;
        me->run.stop = on_stop;
        me->run.step_context = me->run.epoch_context = me->run.stop_context = me;
    }
}

static void together(void *(*work)(void *), member *members)
{
    pthread_t thread[MOST];
    uint32_t ranks = members->m->ranks;
    for (uint32_t r = 0; r < ranks; r++)
        assert_int_equal(pthread_create(&thread[r], NULL, work, &members[r]), 0);
    for (uint32_t r = 0; r < ranks; r++) pthread_join(thread[r], NULL);
    assert_false(members->m->lost);
}

static void say(member *me, mopd_status st)
{
    me->st = st;
    snprintf(me->message, sizeof me->message, "%s", st == MOPD_OK ? "" : mopd_last_error());
}

static void *create(void *context)
{
    member *me = context;
    say(me, mopd_trainer_create(&me->t, encoder, tiny_classes, C, &me->o));
    return NULL;
}

static void *run(void *context)
{
    member *me = context;
    say(me, mopd_trainer_run(me->t, &me->run));
    return NULL;
}

static void *create_and_run(void *context)
{
    member *me = context;
    create(context);
    if (me->st == MOPD_OK) run(context);
    return NULL;
}

static void *step(void *context)
{
    member *me = context;
    mopd_step done = {.struct_size = sizeof done};
    say(me, mopd_trainer_step(me->t, me->batch, labels, 8, &done));
    me->loss = done.loss;
    return NULL;
}

static void assert_all_ok(const member *members)
{
    for (uint32_t r = 0; r < members->m->ranks; r++)
        if (members[r].st != MOPD_OK) fail_msg("rank %u: %s", (unsigned)r, members[r].message);
}

static void assert_said(const member *me, mopd_status st, const char *words)
{
    if (me->st != st || !strstr(me->message, words))
        fail_msg("rank %u: %s: %s; expected %s with \"%s\"", (unsigned)me->rank, mopd_status_name(me->st),
            me->message, mopd_status_name(st), words);
}

static void close_members(member *members)
{
    for (uint32_t r = 0; r < members->m->ranks; r++) mopd_trainer_free(members[r].t);
}

static bool same_weights(const mopd_trainer *a, const mopd_trainer *b)
{
    return !memcmp(a->state.context.p, b->state.context.p, a->state.context.n * sizeof(float)) &&
           !memcmp(a->state.context.v, b->state.context.v, a->state.context.n * sizeof(float)) &&
           !memcmp(a->state.gate.p, b->state.gate.p, a->state.gate.n * sizeof(float));
}

static mopd_trainer *train_alone(const mopd_trainer_options *o, double *loss)
{
    meeting none;
    member me;
    gather(&none, &me, 1, o);
    me.o.ranks = 0;
    create_and_run(&me);
    assert_all_ok(&me);
    assert_int_equal(none.round, 0);
    if (loss) *loss = me.loss;
    return me.t;
}

/* Ranks of equal and of unequal shares, and more ranks than classes. */
static void compare_with_one(const mopd_trainer_options *o)
{
    double loss;
    mopd_trainer *alone = train_alone(o, &loss);
    const uint32_t counts[] = {2, 3, 5, MOST};
    for (size_t i = 0; i < 4; i++) {
        meeting m;
        member members[MOST];
        gather(&m, members, counts[i], o);
        together(create_and_run, members);
        assert_all_ok(members);
        const mopd_trainer *first = members[0].t;
        if (alone->teachers)
            assert_memory_equal(first->teachers, alone->teachers, first->templates.n * C * D * sizeof(float));
        assert_true(
            test_max_diff(first->state.context.p, alone->state.context.p, first->state.context.n) < 1e-5);
        assert_true(test_max_diff(first->state.gate.p, alone->state.gate.p, first->state.gate.n) < 1e-5);
        assert_true(first->notes.accuracy == alone->notes.accuracy);
        size_t shared = 0;
        for (uint32_t r = 0; r < counts[i]; r++) {
            if (!same_weights(members[r].t, first))
                fail_msg("%s: rank %u has another prompt", mopd_method_name(o->method), (unsigned)r);
            assert_int_equal(members[r].t->group.first, shared);
            assert_true(members[r].t->group.n <= (C + counts[i] - 1) / counts[i]);
            assert_true(fabs(members[r].loss - loss) < 1e-6 && members[r].loss == members[0].loss);
            shared += members[r].t->group.n;
        }
        assert_int_equal(shared, C);
        close_members(members);
    }
    mopd_trainer_free(alone);
}

static void many_ranks_learn_the_prompt_of_one(void **state)
{
    (void)state;
    for (int32_t method = MOPD_METHOD_MOPD; method <= MOPD_METHOD_PROGRAD; method++) {
        mopd_trainer_options o = options(method);
        compare_with_one(&o);
        o.flags = MOPD_TRAIN_CLASS_CONTEXT;
        compare_with_one(&o);
    }
}

static void chunks_within_a_rank_learn_the_same(void **state)
{
    (void)state;
    mopd_trainer_options o = options(MOPD_METHOD_PROGRAD);
    o.memory_limit = 40000;
    compare_with_one(&o);
}

/* The callback of a single rank is never called: it would fail. */
static mopd_status never(void *context, double *values, size_t n)
{
    (void)context, (void)values, (void)n;
    return MOPD_E_INTERNAL;
}

static void one_rank_is_the_same_bits_as_none(void **state)
{
    (void)state;
    for (int32_t method = MOPD_METHOD_MOPD; method <= MOPD_METHOD_PROGRAD; method++) {
        mopd_trainer_options o = options(method);
        mopd_trainer *alone = train_alone(&o, NULL);
        meeting m;
        member me;
        gather(&m, &me, 1, &o);
        me.o.reduce = never;
        create_and_run(&me);
        assert_all_ok(&me);
        assert_true(same_weights(me.t, alone));
        mopd_trainer_free(me.t);
        mopd_trainer_free(alone);
    }
}

/* Same shares, same order of the sums: the same bits however the threads run. */
static void the_same_ranks_learn_the_same_bits(void **state)
{
    (void)state;
    meeting m[2];
    member members[2][MOST];
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    for (int i = 0; i < 2; i++) {
        gather(&m[i], members[i], 3, &o);
        together(create_and_run, members[i]);
        assert_all_ok(members[i]);
    }
    assert_true(same_weights(members[0][0].t, members[1][2].t));
    close_members(members[0]);
    close_members(members[1]);
}

static mopd_status add_nothing(void *context, double *values, size_t n)
{
    (void)context, (void)values, (void)n;
    return MOPD_OK;
}

static void wrong_numbers_are_refused(void **state)
{
    (void)state;
    mopd_trainer *t;
    mopd_trainer_options o = options(MOPD_METHOD_COOP);
    o.rank = 1;
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG, "rank is 1, ranks is 0");
    o.ranks = 1;
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG, "rank is 1, ranks is 1");
    o.ranks = 2;
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG, "reduce is NULL");
    o.reduce = add_nothing;
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG,
        "added up 1 ranks, the options say 2");
    o.rank = 2;
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG, "rank is 2, ranks is 2");
    o.ranks = UINT32_MAX;
    assert_fails(mopd_trainer_create(&t, encoder, tiny_classes, C, &o), MOPD_E_ARG, "at most 1048576");
}

/* What one rank is told wrongly, all get to know. */
static void ranks_that_do_not_belong_together_are_refused(void **state)
{
    (void)state;
    meeting m;
    member members[MOST];
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    gather(&m, members, 3, &o);
    members[2].o.rank = 1;
    together(create, members);
    for (int r = 0; r < 3; r++) assert_said(&members[r], MOPD_E_ARG, "not 0 to 2, each once");

    gather(&m, members, 3, &o);
    members[2].o.rank = 3;
    together(create, members);
    assert_said(&members[0], MOPD_E_ARG, "rank 3 of 3 failed");
    assert_said(&members[2], MOPD_E_ARG, "rank is 3, ranks is 3");

    gather(&m, members, 2, &o);
    members[1].o.seed = 2;
    together(create, members);
    for (int r = 0; r < 2; r++)
        assert_said(&members[r], MOPD_E_MISMATCH, "differ in model, classes, options");

    gather(&m, members, 2, &o);
    members[1].o.w = 3;
    together(create, members);
    assert_said(&members[0], MOPD_E_ARG, "rank 1 of 2 failed: an argument is not allowed");
    assert_said(&members[1], MOPD_E_ARG, "w is 3");

    gather(&m, members, 2, &o);
    members[1].o.flags = UINT32_C(1) << 31; /* compiled with headers of a later library */
    together(create, members);
    assert_said(&members[0], MOPD_E_VERSION, "rank 1 of 2 failed: newer than this library");
    assert_said(&members[1], MOPD_E_VERSION, "mopd_trainer_options: flags 0x80000000 are unknown");

    int32_t others[N];
    memcpy(others, labels, sizeof others);
    others[0] = 1;
    gather(&m, members, 2, &o);
    members[0].run.labels = others;
    together(create_and_run, members);
    for (int r = 0; r < 2; r++) assert_said(&members[r], MOPD_E_MISMATCH, "differ in their features, labels");
    close_members(members);

    o.epochs = 0; /* counted in steps: other steps are other epochs */
    o.steps = 6;
    gather(&m, members, 2, &o);
    members[1].o.steps = 7;
    together(create_and_run, members);
    for (int r = 0; r < 2; r++)
        assert_said(&members[r], MOPD_E_MISMATCH, "features, labels, steps or position");
    close_members(members);
}

static void failures_of_one_rank_end_all(void **state)
{
    (void)state;
    meeting m;
    member members[MOST];
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    gather(&m, members, 3, &o);
    for (int r = 0; r < 3; r++) {
        members[r].run.features = NULL;
        members[r].run.views = views;
        members[r].run.views_context = &members[r];
        members[r].run.n_views = 1;
    }
    members[1].broken_view = 3;
    together(create_and_run, members);
    assert_said(&members[0], MOPD_E_IO, "fresh features of epoch 3: rank 1 of 3 failed");
    assert_said(&members[1], MOPD_E_IO, "fresh features of epoch 3");
    assert_said(&members[2], MOPD_E_IO, "rank 1 of 3 failed");

    members[0].run.checkpoint = members[1].run.checkpoint =
        "/no/such/folder/checkpoint"; /* rank 1's is not written */
    members[1].broken_view = 0;
    together(run, members);
    assert_said(&members[0], MOPD_E_IO, "/no/such/folder");
    assert_said(&members[1], MOPD_E_IO, "rank 0 of 3 failed");
    for (int r = 0; r < 3; r++) assert_int_equal(members[r].t->state.epoch, 3);
    close_members(members);
}

/* Cancelled on one rank, all stop after the same step and may go on to the same bits. */
static void cancelling_on_one_rank_stops_all(void **state)
{
    (void)state;
    meeting m;
    member members[MOST], whole[MOST];
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    gather(&m, members, 2, &o);
    members[1].n_steps = 5;
    members[0].run.checkpoint = members[1].run.checkpoint = test_path("stopped");
    together(create_and_run, members);
    assert_said(&members[0], MOPD_E_CANCELLED, "rank 1 of 2 failed: cancelled");
    assert_said(&members[1], MOPD_E_CANCELLED, "cancelled in epoch 2 after step 2");
    assert_int_equal(members[0].t->state.total, 5);

    mopd_trainer_options alone = o; /* a checkpoint knows no ranks */
    mopd_trainer *t;
    assert_ok(mopd_trainer_create(&t, encoder, tiny_classes, C, &alone));
    assert_ok(mopd_trainer_resume(t, test_path("stopped")));
    assert_true(same_weights(t, members[1].t));
    mopd_trainer_free(t);

    members[0].run.checkpoint = members[1].run.checkpoint = NULL;
    together(run, members);
    assert_all_ok(members);
    meeting other;
    gather(&other, whole, 2, &o);
    together(create_and_run, whole);
    assert_all_ok(whole);
    assert_true(same_weights(members[0].t, whole[0].t));
    close_members(whole);

    assert_ok(mopd_trainer_resume(members[1].t, test_path("stopped"))); /* and rank 0 does not */
    together(run, members);
    for (int r = 0; r < 2; r++) assert_said(&members[r], MOPD_E_MISMATCH, "position");
    close_members(members);
}

/* A step abandoned on one rank is abandoned on all; they may go on to the same bits. */
static void a_step_abandoned_on_one_rank_is_abandoned_on_all(void **state)
{
    (void)state;
    meeting m;
    member members[MOST], whole[MOST];
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    gather(&m, whole, 2, &o);
    together(create_and_run, whole);
    for (uint32_t asked = 1; asked < 12;
         asked += 3) { /* two blocks, forward and back: three steps and more */
        gather(&m, members, 2, &o);
        members[1].n_asked = asked;
        together(create_and_run, members);
        assert_said(&members[0], MOPD_E_CANCELLED, "rank 1 of 2 failed");
        assert_said(&members[1], MOPD_E_CANCELLED, "cancelled in the text tower");
        assert_int_equal(members[0].t->state.total, (asked - 1) / 4);
        assert_int_equal(members[1].t->state.total, members[0].t->state.total);
        together(run, members);
        for (int r = 0; r < 2; r++) {
            assert_int_equal(members[r].st, MOPD_OK);
            assert_true(same_weights(members[r].t, whole[r].t));
        }
        close_members(members);
    }
    close_members(whole);
}

static void a_callback_that_fails_ends_the_group(void **state)
{
    (void)state;
    meeting m;
    member members[MOST];
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    size_t n_rounds = 0;
    for (size_t fails = 1; fails < 60; fails += 3) {
        float before[4 * W];
        gather(&m, members, 2, &o);
        m.n_rounds = fails;
        together(create, members);
        for (int r = 0; r < 2 && members[0].t; r++) assert_non_null(members[r].t);
        if (members[0].t) {
            together(run, members);
            memcpy(before, members[0].t->state.context.p, sizeof before);
            n_rounds++;
        }
        if (members[0].st == MOPD_OK) { /* a whole run takes fewer rounds */
            close_members(members);
            break;
        }
        for (int r = 0; r < 2; r++) assert_said(&members[r], MOPD_E_IO, "reduce returned MOPD_E_IO");
        if (members[0].t) {
            together(run, members);
            for (int r = 0; r < 2; r++) assert_said(&members[r], MOPD_E_STATE, "reduce has failed before");
            assert_memory_equal(members[0].t->state.context.p, before, sizeof before);
        }
        close_members(members);
    }
    assert_true(n_rounds > 10);
    assert_said(&members[0], MOPD_OK, "");
}

static void a_reduction_that_differs_between_ranks_is_found(void **state)
{
    (void)state;
    meeting m;
    member members[MOST];
    mopd_trainer_options o = options(MOPD_METHOD_COOP);
    gather(&m, members, 2, &o);
    members[1].noise = 1e-3;
    together(create_and_run, members);
    for (int r = 0; r < 2; r++)
        assert_said(&members[r], MOPD_E_MISMATCH, "does reduce give all the same bits?");
    assert_int_equal(members[0].t->state.total, 1);
    close_members(members);
}

static void steps_by_hand_compare_their_batches(void **state)
{
    (void)state;
    meeting m;
    member members[MOST], alone;
    meeting none;
    mopd_trainer_options o = options(MOPD_METHOD_KGCOOP);
    gather(&m, members, 2, &o);
    gather(&none, &alone, 1, &o);
    together(create, members);
    create(&alone);
    for (int r = 0; r < 2; r++) members[r].batch = features;
    alone.batch = features;
    step(&alone);
    together(step, members);
    assert_all_ok(members);
    assert_true(fabs(members[0].loss - alone.loss) < 1e-6);
    assert_true(same_weights(members[0].t, members[1].t));
    members[1].batch = features + D;
    together(step, members);
    for (int r = 0; r < 2; r++) assert_said(&members[r], MOPD_E_MISMATCH, "differ in their batch");
    members[1].batch = NULL;
    together(step, members);
    assert_said(&members[0], MOPD_E_ARG, "rank 1 of 2 failed");
    members[1].batch = features; /* and go on */
    together(step, members);
    assert_all_ok(members);
    assert_int_equal(members[0].t->state.total, 2);
    close_members(members);
    mopd_trainer_free(alone.t);
}

static void *choose(void *context)
{
    member *me = context;
    say(me, mopd_trainer_options_choose(&me->o, encoder, tiny_classes, C, &me->run, NULL));
    return NULL;
}

static void settings_are_chosen_alike(void **state)
{
    (void)state;
    meeting m, none;
    member members[MOST], alone;
    mopd_trainer_options o = options(MOPD_METHOD_MOPD);
    gather(&m, members, 2, &o);
    gather(&none, &alone, 1, &o);
    choose(&alone);
    together(choose, members);
    assert_all_ok(&alone);
    assert_all_ok(members);
    for (int r = 0; r < 2; r++) {
        assert_true(members[r].o.w == alone.o.w && members[r].o.w2 == alone.o.w2);
        assert_int_equal(members[r].o.top_k, alone.o.top_k);
    }
    members[1].n_steps = 7;
    together(choose, members);
    assert_said(&members[0], MOPD_E_CANCELLED, "rank 1 of 2");
    members[0].run.n = N - 1;
    together(choose, members);
    for (int r = 0; r < 2; r++) assert_said(&members[r], MOPD_E_MISMATCH, "the number of pictures");
    members[1].run.struct_size = 4;
    together(choose, members);
    assert_said(&members[0], MOPD_E_ARG, "rank 1 of 2 failed");
    assert_said(&members[1], MOPD_E_ARG, "mopd_trainer_options_choose: struct_size of mopd_run is 4");
}

/* ---- torture: memory runs out on one rank or the other, and nobody waits ---- */

typedef struct torture {
    void *(*work)(void *);
    int32_t method;
} torture;

static mopd_status all_of_it(void *context)
{
    const torture *what = context;
    meeting m;
    member members[MOST];
    mopd_encoder_options eo;
    mopd_trainer_options o = options(what->method);
    o.epochs = 1;
    o.n_templates = o.top_k = 1;
    gather(&m, members, 2, &o);
    members[0].run.checkpoint = test_path("torture");
    mopd_status st = mopd_encoder_options_init(&eo, sizeof eo);
    eo.n_threads = 1;
    if (st == MOPD_OK) st = mopd_encoder_open(&encoder, tiny_model(1), &eo);
    if (st != MOPD_OK) return st;
    together(what->work, members);
    close_members(members);
    mopd_encoder_close(encoder);
    if (members[0].st != members[1].st) fail_msg("%s; %s", members[0].message, members[1].message);
    return members[0].st;
}

static void no_rank_waits_for_one_without_memory(void **state)
{
    (void)state;
    torture training = {create_and_run, MOPD_METHOD_MOPD}, choosing = {choose, MOPD_METHOD_MOPD_STATIC};
    mopd_encoder_close(encoder); /* an allocator is changed while nothing lives */
    test_torture(all_of_it, &training);
    test_torture(all_of_it, &choosing);
    encoder = NULL;
}

static int open_all(void **state)
{
    (void)state;
    encoder = tiny_open(1, 1);
    tiny_features(encoder, SHOTS, 1, 1, features, labels);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    mopd_encoder_close(encoder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_ranks_learn_the_prompt_of_one),
        cmocka_unit_test(chunks_within_a_rank_learn_the_same),
        cmocka_unit_test(one_rank_is_the_same_bits_as_none),
        cmocka_unit_test(the_same_ranks_learn_the_same_bits),
        cmocka_unit_test(wrong_numbers_are_refused),
        cmocka_unit_test(ranks_that_do_not_belong_together_are_refused),
        cmocka_unit_test(failures_of_one_rank_end_all),
        cmocka_unit_test(cancelling_on_one_rank_stops_all),
        cmocka_unit_test(a_step_abandoned_on_one_rank_is_abandoned_on_all),
        cmocka_unit_test(a_callback_that_fails_ends_the_group),
        cmocka_unit_test(a_reduction_that_differs_between_ranks_is_found),
        cmocka_unit_test(steps_by_hand_compare_their_batches),
        cmocka_unit_test(settings_are_chosen_alike),
        cmocka_unit_test(no_rank_waits_for_one_without_memory),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
