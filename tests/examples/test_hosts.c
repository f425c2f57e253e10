/* SPDX-License-Identifier: MIT
 * test_hosts.c - the lessons that are host programs, on tiny models: frames, threads, a window's training, many models,
 * an allocator with a budget, a recogniser that is exchanged while threads answer.  What they print is what the
 * library says to one thread. */
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pictures.h"
#include "support/run.h"
#include "support/tiny.h"

#define GOLD MOPD_TEST_DIR "/gold/towers/"
#define MODEL GOLD "hf"

enum { DIM = 12, CLASSES = 3 };

static const char *const classes[CLASSES] = {"cat", "dog", "sea"};

static mopd_encoder *encoder; /* MODEL */
static mopd_bank *bank;       /* of the classes */

static void encode(mopd_image *image, float *feature)
{
    assert_ok(mopd_encoder_encode_images(encoder, (const mopd_image *const *)&image, 1, feature));
    mopd_image_close(image);
}

static void encode_file(const char *path, float *feature)
{
    mopd_image *image = NULL;
    assert_ok(mopd_image_open(&image, path, NULL));
    encode(image, feature);
}

/* ---- frames ---- */

enum { WIDTH = 14, HEIGHT = 10, FRAMES = 12, SCENE = 4 };

/* A film, FRAMES x HEIGHT x WIDTH x 4, blue first: a scene is four frames that differ little. */
static void make_film(uint8_t *film)
{
    float x[FRAMES * HEIGHT * WIDTH * 3];
    test_random(x, sizeof x / sizeof *x, 7);
    for (size_t i = 0; i < FRAMES * HEIGHT * WIDTH; i++) {
        const size_t scene = i / (SCENE * HEIGHT * WIDTH);
        for (size_t k = 0; k < 3; k++)
            film[4 * i + k] = (uint8_t)(128 + 20 * x[3 * i + k] + (k == scene ? 100 : -100));
        film[4 * i + 3] = (uint8_t)i; /* means nothing */
    }
}

/* The middle square of a frame, cut out and turned to red first by hand. */
static void cut(uint8_t *square, const uint8_t *frame)
{
    const size_t left = (WIDTH - HEIGHT) / 2;
    for (size_t y = 0; y < HEIGHT; y++)
        for (size_t x = 0; x < HEIGHT; x++)
            for (size_t k = 0; k < 3; k++)
                square[(y * HEIGHT + x) * 3 + k] = frame[(y * WIDTH + left + x) * 4 + 2 - k];
}

/* What lesson 8 is to print. */
static size_t watch(char *text, const uint8_t *film)
{
    uint8_t square[HEIGHT * HEIGHT * 3];
    float feature[DIM], now[CLASSES], mean[CLASSES];
    size_t shown = CLASSES, n_lines = 0;
    for (size_t f = 0; f < FRAMES; f++) {
        mopd_image *image = NULL;
        cut(square, film + f * HEIGHT * WIDTH * 4);
        assert_ok(mopd_image_create(&image, square, HEIGHT, HEIGHT, 3, 0));
        encode(image, feature);
        assert_ok(mopd_bank_probabilities(bank, feature, 1, now));
        size_t best = 0;
        for (size_t c = 0; c < CLASSES; c++) {
            mean[c] = f ? 0.75f * mean[c] + 0.25f * now[c] : now[c];
            if (mean[c] > mean[best]) best = c;
        }
        if (best == shown) continue;
        text += sprintf(text, "frame %zu: %s %.3f\n", f, classes[shown = best], (double)mean[best]);
        n_lines++;
    }
    sprintf(text, "%d frames\n", FRAMES);
    return n_lines;
}

static void frames_are_classified_as_they_come(void **state)
{
    (void)state;
    static uint8_t film[FRAMES * HEIGHT * WIDTH * 4];
    char want[1000];
    make_film(film);
    assert_true(watch(want, film) > 1); /* the class changes */
    run_setup setup = {.in = test_write("film", film, sizeof film)};
    const run_result r = run_lesson(&setup, "08_frames", "14 10 cat dog sea");
    assert_run(r, 0);
    assert_string_equal(r.out, want);
    setup.in = test_write("short", film, sizeof film - 1); /* half a frame at the end is none */
    const run_result cut_short = run_lesson(&setup, "08_frames", "14 10 cat dog sea");
    assert_run(cut_short, 0);
    assert_has(cut_short.out, "\n11 frames\n");
}

/* ---- threads ---- */

enum { MANY = 24 };

static void threads_answer_as_one_does(void **state)
{
    (void)state;
    static char want[MANY * 300];
    char name[32], *at = want;
    const char *path[MANY], *bad = test_text("bad.png", "no picture");
    for (uint32_t i = 0; i < MANY; i++) {
        float feature[DIM];
        mopd_match best;
        snprintf(name, sizeof name, "many/%u.png", (unsigned)i);
        path[i] = test_png(name, 9 + i, 12, i);
        encode_file(path[i], feature);
        assert_ok(mopd_bank_top(bank, feature, 1, 1, &best));
        at += sprintf(at, "%s  %s %.2f\n", path[i], classes[best.index], (double)best.probability);
    }
    static const char line[] = "@ cat dog sea -- @ @ @ @ @ @ @ @ @ @ @ @ @ @ @ @ @ @ @ @ @ @ @ @ @";
    for (int n = 1; n <= 8; n += 7) {
        const run_result r = run_lesson(NULL, "09_threads", line, n == 1 ? "1" : "8", path[0], path[1],
            path[2], path[3], path[4], path[5], path[6], path[7], path[8], path[9], bad, path[10], path[11],
            path[12], path[13], path[14], path[15], path[16], path[17], path[18], path[19], path[20],
            path[21], path[22], path[23]);
        assert_run(r, 1); /* for the one that is none */
        assert_string_equal(r.out, want);
        assert_int_equal(strncmp(r.err, bad, strlen(bad)), 0);
    }
}

/* ---- a window's training ---- */

static void same_bytes(const char *a, const char *b)
{
    char *x = malloc(1 << 20), *y = malloc(1 << 20);
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    assert_true(x && y && f && g);
    const size_t n = fread(x, 1, 1 << 20, f);
    assert_int_equal(n, fread(y, 1, 1 << 20, g));
    assert_true(n > 0 && n < 1 << 20);
    assert_memory_equal(x, y, n);
    fclose(g);
    fclose(f);
    free(y);
    free(x);
}

static void a_window_s_training_goes_on_where_it_was_stopped(void **state)
{
    (void)state;
    const char *folder = test_path("trained"), *plain = test_path("plain.safetensors"),
               *resumed = test_path("resumed.safetensors"), *part = test_path("resumed.safetensors.part");
    run_result r = run_lesson(NULL, "03_train", "@ @", folder, plain);
    assert_run(r, 0);
    /* The button is pressed in the first epoch that is told; a quick training may be done all the same. */
    r = run_lesson(NULL, "10_window", "@ @ 1", folder, resumed);
    assert_has(r.out, "pictures 4 of 4\n");
    assert_has(r.out, "teachers 24 of 24\n");
    if (r.status != 0) {
        assert_run(r, 3);
        assert_has(r.out, "epochs 1 of ");
        assert_int_equal(access(part, R_OK), 0);
        assert_int_not_equal(access(resumed, R_OK), 0);
        r = run_lesson(NULL, "10_window", "@ @", folder, resumed);
        assert_run(r, 0);
        assert_null(strstr(r.out, "epochs 1 of "));
    }
    same_bytes(resumed, plain);
    assert_int_not_equal(access(part, R_OK), 0);
}

static void a_key_stops_the_window_s_training(void **state)
{
    (void)state;
    const char *prompt = test_path("pressed.safetensors");
    const run_setup setup = {.in = test_text("key", "\n")};
    const run_result r = run_lesson(&setup, "10_window", "@ @", test_path("trained"), prompt);
    if (r.status != 0) assert_run(r, 3);
    assert_int_equal(access(prompt, R_OK) == 0, r.status == 0);
    const run_result bad = run_lesson(NULL, "10_window", "/nonexistent @", prompt);
    assert_run(bad, 1);
    assert_has(bad.err, "/nonexistent");
}

/* ---- many models ---- */

enum { MODELS = 4 };

static double percent_right(const char *model, const mopd_dataset *pictures)
{
    mopd_encoder *e = NULL;
    mopd_dataset *encoded = NULL;
    mopd_bank *names = NULL;
    mopd_match best;
    size_t n_right = 0, n = 4;
    assert_ok(mopd_encoder_open(&e, model, NULL));
    assert_ok(mopd_dataset_encode(&encoded, pictures, NULL, e, NULL));
    assert_ok(mopd_bank_create(&names, e, mopd_dataset_class_names(encoded), 2, NULL, 0));
    for (size_t i = 0; i < n; i++) {
        assert_ok(mopd_bank_top(names, mopd_dataset_feature(encoded, i, 0), 1, 1, &best));
        n_right += best.index == (uint32_t)mopd_dataset_labels(encoded)[i];
    }
    mopd_bank_free(names);
    mopd_dataset_close(encoded);
    mopd_encoder_close(e);
    return 100.0 * (double)n_right / (double)n;
}

static void models_side_by_side_do_not_disturb_each_other(void **state)
{
    (void)state;
    static const char *const fixed[] = {MODEL, GOLD "openclip", GOLD "openai/tiny.pt"};
    char path[MODELS][600], want[700];
    mopd_dataset *pictures = NULL;
    for (size_t i = 0; i < 3; i++) snprintf(path[i], sizeof path[i], "%s", fixed[i]);
    snprintf(path[3], sizeof path[3], "%s", tiny_model(1));
    const run_result r = run_lesson(NULL, "11_models", "@ @ @ /nonexistent @ @ @", test_path("trained"),
        path[0], path[1], path[2], path[3], path[0]);
    assert_run(r, 1); /* for the one that is not there */
    assert_has(r.err, "/nonexistent");
    assert_ok(mopd_dataset_open(&pictures, test_path("trained"), NULL));
    const char *at = r.out;
    for (size_t i = 0; i < MODELS + 1; i++) {
        const char *model = path[i % MODELS]; /* the first stands there twice */
        snprintf(want, sizeof want, "%s  D 12, ", model);
        assert_int_equal(strncmp(at, want, strlen(want)), 0);
        snprintf(want, sizeof want, " million parameters, %.1f %% right", percent_right(model, pictures));
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        assert_int_equal(strncmp(end - strlen(want), want, strlen(want)), 0);
        at = end + 1;
    }
    mopd_dataset_close(pictures);
}

/* ---- a budget ---- */

static void a_budget_is_kept_and_nothing_is_left_over(void **state)
{
    (void)state;
    const char *picture = test_png("budget.png", 200, 80, 3);
    char need[32], want[64];
    float feature[DIM];
    mopd_match best;
    encode_file(picture, feature);
    assert_ok(mopd_bank_top(bank, feature, 1, 1, &best));
    const run_result enough = run_lesson(NULL, "12_budget", "100 @ cat dog sea", picture);
    assert_run(enough, 0);
    snprintf(want, sizeof want, "%s %.2f\nat most ", classes[best.index], (double)best.probability);
    assert_int_equal(strncmp(enough.out, want, strlen(want)), 0);
    assert_has(enough.out, " MB, 0 bytes left over\n");
    const double most = strtod(enough.out + strlen(want), NULL);
    for (int part = 1; part <= 4; part++) { /* a fifth of what is needed, two fifths ... */
        snprintf(need, sizeof need, "%.4f", most * part / 5);
        const run_result r = run_lesson(NULL, "12_budget", "@ @ cat dog sea", need, picture);
        assert_run(r, 1);
        assert_has(r.err, "MOPD_E_NOMEM: ");
        assert_has(r.out, " MB, 0 bytes left over\n");
    }
}

/* ---- a recogniser that is exchanged ---- */

enum { ASKED = 6 };

typedef struct client {
    const char *fifo, *out; /* the service's standard input and output */
    const char *picture[ASKED];
    const char *class_beside, *class_inside, *bad_beside, *bad_inside; /* what comes into the folder later */
} client;

/* Waits until words stand in the service's output. */
static void await(const client *c, const char *words, time_t begun)
{
    char text[1 << 14];
    do {
        FILE *f = fopen(c->out, "rb");
        text[f ? fread(text, 1, sizeof text - 1, f) : 0] = 0;
        if (f) fclose(f);
    } while (!strstr(text, words) && test_pause(begun));
}

static void ask(const client *c, FILE *to)
{
    for (size_t i = 0; i < ASKED; i++) fprintf(to, "%s\n", c->picture[i]);
    fflush(to);
}

/* Asks; adds a class while it is answered, and asks again; then a file that is no picture, and asks once more.
 * Paths were made before: test_path belongs to one thread. */
static void *be_client(void *context)
{
    const client *c = context;
    const time_t begun = time(NULL);
    FILE *to = fopen(c->fifo, "w");
    if (!to) return "no FIFO";
    ask(c, to);
    await(c, "version 1 ", begun);
    ask(c, to);
    rename(c->class_beside, c->class_inside);
    fprintf(to, "\n");
    ask(c, to);
    await(c, "version 2 ", begun);
    rename(c->bad_beside, c->bad_inside);
    fprintf(to, "\n");
    ask(c, to);
    fclose(to);
    return NULL;
}

/* The answers of a recogniser of the folder as it is now. */
static void expect(char (*text)[400], const client *c, unsigned version)
{
    mopd_dataset *listed = NULL, *data = NULL;
    mopd_dataset_info info = {.struct_size = sizeof info};
    mopd_recognizer *r = NULL;
    mopd_match best;
    float feature[DIM];
    assert_ok(mopd_dataset_open(&listed, test_path("swap"), NULL));
    assert_ok(mopd_dataset_encode(&data, listed, NULL, encoder, NULL));
    assert_ok(mopd_dataset_get_info(data, &info));
    assert_ok(mopd_recognizer_create(&r, encoder, mopd_dataset_class_names(data), info.n_classes,
        mopd_dataset_feature(data, 0, 0), mopd_dataset_labels(data), (size_t)info.n_items, NULL));
    for (size_t i = 0; i < ASKED; i++) {
        encode_file(c->picture[i], feature);
        assert_ok(mopd_recognizer_top(r, feature, 1, 1, &best));
        snprintf(text[i], sizeof text[i], "version %u  %s  %s %.2f\n", version, c->picture[i],
            mopd_recognizer_class_name(r, best.index), (double)best.probability);
    }
    mopd_recognizer_close(r);
    mopd_dataset_close(data);
    mopd_dataset_close(listed);
}

static size_t count(const char *text, const char *line)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, line)); at += strlen(line)) n++;
    return n;
}

static void make_client(client *c)
{
    char name[32];
    *c = (client){.fifo = test_path("requests"),
        .out = test_path("answers"),
        .class_beside = test_path("sea"),
        .class_inside = test_path("swap/sea"),
        .bad_beside = test_text("c.png", "no picture"),
        .bad_inside = test_path("swap/sea/c.png")};
    for (uint32_t i = 0; i < ASKED; i++) {
        snprintf(name, sizeof name, "asked/%u.png", (unsigned)i);
        c->picture[i] = test_png(name, 12, 9, 10 + 2 * i);
    }
    for (uint32_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "swap/%s/%u.png", classes[i / 2], (unsigned)i);
        test_png(name, 12, 9, 10 + i);
    }
    test_png("sea/a.png", 12, 9, 20);
    test_png("sea/b.png", 12, 9, 21);
    assert_int_equal(mkfifo(c->fifo, 0600), 0);
}

static void a_recogniser_is_exchanged_while_threads_answer(void **state)
{
    (void)state;
    static char first[ASKED][400], second[ASKED][400];
    client c;
    make_client(&c);
    expect(first, &c, 1);
    pthread_t thread;
    void *trouble;
    assert_int_equal(pthread_create(&thread, NULL, be_client, &c), 0);
    const run_setup setup = {.in = c.fifo, .out = c.out};
    const run_result r = run_lesson(&setup, "13_hot_swap", "@", test_path("swap"));
    pthread_join(thread, &trouble);
    assert_null(trouble);
    assert_run(r, 0);
    assert_has(r.err, "c.png"); /* which changed nothing */
    unlink(c.bad_inside);
    expect(second, &c, 2);
    char *answers = test_read(c.out);
    size_t n_first = 0, n_second = 0;
    for (size_t i = 0; i < ASKED; i++) {
        n_first += count(answers, first[i]);
        n_second += count(answers, second[i]);
    }
    assert_int_equal(n_first + n_second, 4 * ASKED);
    assert_int_equal(count(answers, "\n"), 4 * ASKED);
    assert_true(n_first >= 1);
    assert_true(n_second >= 2 * ASKED); /* what was asked after the change */
    free(answers);
}

static int prepare(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    setenv("MOPD_MODEL", MODEL, 1);
    assert_ok(mopd_encoder_open(&encoder, MODEL, NULL));
    assert_ok(mopd_bank_create(&bank, encoder, classes, CLASSES, NULL, 0));
    test_png("trained/cat/a.png", 12, 9, 1);
    test_png("trained/cat/b.png", 12, 9, 2);
    test_png("trained/dog/a.png", 12, 9, 3);
    test_png("trained/dog/b.png", 12, 9, 4);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    mopd_bank_free(bank);
    mopd_encoder_close(encoder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_classified_as_they_come),
        cmocka_unit_test(threads_answer_as_one_does),
        cmocka_unit_test(a_window_s_training_goes_on_where_it_was_stopped),
        cmocka_unit_test(a_key_stops_the_window_s_training),
        cmocka_unit_test(models_side_by_side_do_not_disturb_each_other),
        cmocka_unit_test(a_budget_is_kept_and_nothing_is_left_over),
        cmocka_unit_test(a_recogniser_is_exchanged_while_threads_answer),
    };
    return cmocka_run_group_tests(tests, prepare, finish);
}
