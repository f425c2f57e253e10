/* SPDX-License-Identifier: MIT
 * test_trainer_memory.c - a training from model to bank, and a choice of settings, with every allocation failing in turn. */
#include "support/trainings.h"

static training x;

static mopd_status all_of_it(void *ctx)
{
    (void)ctx;
    const char *const two[] = {"cat", "dog"};
    mopd_encoder_options eo;
    mopd_encoder *e = NULL;
    mopd_trainer *t = NULL;
    mopd_prompt *p = NULL;
    mopd_bank *bank = NULL;
    char *json = NULL, *report = NULL;
    int32_t labels[4] = {0, 1, 0, 1};
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 5);
    mopd_run run = training_run(&x);
    o.epochs = 2;
    o.n_templates = 2;
    run.n = 4;
    run.labels = labels;
    const char *checkpoint = test_path("torture-checkpoint");
    mopd_status st = mopd_encoder_options_init(&eo, sizeof eo);
    eo.n_threads = 1;
    if (st == MOPD_OK) st = mopd_encoder_open(&e, tiny_model(1), &eo);
    if (st == MOPD_OK) st = mopd_trainer_create(&t, e, two, 2, &o);
    if (st == MOPD_OK) st = mopd_trainer_note(t, "key", "text");
    if (st == MOPD_OK) st = mopd_trainer_run(t, &run);
    if (st == MOPD_OK) st = mopd_trainer_checkpoint(t, checkpoint);
    if (st == MOPD_OK) st = mopd_trainer_resume(t, checkpoint);
    if (st == MOPD_OK) st = mopd_prompt_create_trainer(&p, t);
    if (st == MOPD_OK) st = mopd_prompt_save(p, test_path("torture"));
    mopd_prompt_close(p);
    p = NULL;
    if (st == MOPD_OK) st = mopd_prompt_open(&p, test_path("torture"), e);
    if (st == MOPD_OK) st = mopd_prompt_describe(p, &json);
    if (st == MOPD_OK) st = mopd_bank_create_prompt(&bank, e, two, 2, p);
    mopd_free(report);
    mopd_free(json);
    mopd_bank_free(bank);
    mopd_prompt_close(p);
    mopd_trainer_free(t);
    mopd_encoder_close(e);
    return st;
}

static mopd_status choice(void *ctx)
{
    (void)ctx;
    mopd_encoder_options eo;
    mopd_encoder *e = NULL;
    char *report = NULL;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD_STATIC, 5);
    mopd_run run = training_run(&x);
    o.epochs = 1;
    o.n_templates = 1;
    o.top_k = 1;
    mopd_status st = mopd_encoder_options_init(&eo, sizeof eo);
    eo.n_threads = 1;
    if (st == MOPD_OK) st = mopd_encoder_open(&e, tiny_model(1), &eo);
    if (st == MOPD_OK) st = mopd_trainer_options_choose(&o, e, tiny_classes, C, &run, &report);
    mopd_free(report);
    mopd_encoder_close(e);
    return st;
}

static void out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    training_open(&x, 1, 1, 2);
    training_close(&x); /* an allocator is changed while nothing lives */
    test_torture(all_of_it, NULL);
    test_torture(choice, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
