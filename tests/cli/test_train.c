/* SPDX-License-Identifier: MIT
 * test_train.c - mopd train and bench-new: what they print and write, stopping and resuming, the report. */
#include <sys/stat.h>
#include <unistd.h>

#include "support/labelled.h"

#define TEACHERS "--template a_{} --template {}! --template no_{} --template is_{}?"
#define LEARN "train -m @ -d @ " TEACHERS " --lr 0.05 --batch 8 "

static void train_json_has_the_promised_fields(void **state)
{
    (void)state;
    const char *data = labelled_data("fields"), *prompt = test_path("fields.safetensors");
    run_result r =
        run_mopd(NULL, LEARN "--subset base --epochs 3 --format json -o @", tiny_model(1), data, prompt);
    assert_run(r, 0);
    assert_string_equal(r.err, "");
    json_t *j = labelled_json(&r), *epochs = json_object_get(j, "epochs");
    assert_int_equal(json_object_size(j), 3);
    assert_string_equal(json_string_value(json_object_get(j, "prompt")), prompt);
    assert_true(labelled_number(j, "seconds") > 0);
    assert_int_equal(json_array_size(epochs), 3);
    static const char *const keys[] = {"epoch", "lr", "loss", "ce", "mpd", "mps", "accuracy"};
    for (size_t e = 0; e < 3; e++) {
        const json_t *one = json_array_get(epochs, e);
        assert_int_equal(json_object_size(one), 7);
        for (size_t k = 0; k < 7; k++) assert_true(labelled_number(one, keys[k]) >= 0);
        assert_int_equal((int)labelled_number(one, "epoch"), (int)e + 1);
        double sum = 0.8 * labelled_number(one, "ce") + 0.2 * labelled_number(one, "mpd") +
                     0.1 * labelled_number(one, "mps");
        assert_true(fabs(labelled_number(one, "loss") - sum) < 1e-6);
    }
    assert_true(labelled_number(json_array_get(epochs, 0), "lr") == 1e-5);
    assert_true(fabs(labelled_number(json_array_get(epochs, 1), "lr") - 0.05) < 1e-8);
    json_decref(j);
    r = run_mopd(NULL, "eval -m @ -d @ --subset new -p @", tiny_model(1), data, prompt);
    assert_run(r, 0);
    r = run_mopd(NULL, "eval -m @ -d @ --subset new -p @", tiny_model(2), data, prompt);
    assert_one_error(&r, 1, "fields.safetensors: learned with the model", "this one is");
}

static void learn(const char *data, const char *more, const char *prompt)
{
    run_result r = run_mopd(NULL, LEARN "--epochs 4 @ -q -o @", tiny_model(1), data, more, prompt);
    assert_run(r, 0);
}

static void same_prompt_from_folder_and_store_at_any_thread_count(void **state)
{
    (void)state;
    const char *data = labelled_data("same"), *store = test_path("store.safetensors");
    const char *a = test_path("a.safetensors"), *b = test_path("b.safetensors");
    run_result r = run_mopd(NULL, "features -m @ -d @ -q -o @", tiny_model(1), data, store);
    assert_run(r, 0);
    learn(data, "--threads=1", a);
    learn(data, "--threads=2", b);
    assert_same_files(a, b);
    learn(store, "--threads=3", b);
    assert_same_files(a, b);
}

/* Context and gate of a prompt file, as floats. */
static void read_prompt(const char *path, float *context, float *gate)
{
    mopd_prompt *prompt = NULL;
    mopd_prompt_info info = {.struct_size = sizeof info};
    assert_ok(mopd_prompt_open(&prompt, path, NULL));
    assert_ok(mopd_prompt_get_info(prompt, &info));
    memcpy(context, mopd_prompt_context(prompt), info.n_context * TINY_WIDTH * sizeof *context);
    memcpy(gate, mopd_prompt_gate(prompt), info.n_templates * TINY_DIM * sizeof *gate);
    mopd_prompt_close(prompt);
}

/* E fresh epochs see the views that --views E encodes at once. */
static void fresh_views_are_the_cached_ones(void **state)
{
    (void)state;
    const char *data = labelled_data("fresh"), *a = test_path("fresh-a.safetensors"),
               *b = test_path("fresh-b.safetensors");
    float context[3][4 * TINY_WIDTH], gate[3][4 * TINY_DIM];
    learn(data, "--views=fresh", a);
    read_prompt(a, context[0], gate[0]);
    learn(data, "--views=4", b);
    read_prompt(b, context[1], gate[1]);
    learn(data, "--views=2", b);
    read_prompt(b, context[2], gate[2]);
    assert_memory_equal(context[0], context[1], sizeof context[0]);
    assert_memory_equal(gate[0], gate[1], sizeof gate[0]);
    assert_memory_not_equal(context[0], context[2], sizeof context[0]);
}

static void interrupted_training_resumes_to_the_same_bytes(void **state)
{
    (void)state;
    const char *data = labelled_data("stop"), *whole = test_path("whole.safetensors"),
               *part = test_path("part.safetensors");
    const char *checkpoint = test_path("checkpoint.safetensors");
    run_result r = run_mopd(NULL, LEARN "--epochs 300 -o @", tiny_model(1), data, whole);
    assert_run(r, 0);
    assert_has(r.out, "training accuracy");
    run_setup setup = {.interrupt_at = "\n    3 "};
    r = run_mopd(&setup, LEARN "--epochs 300 --checkpoint @ -o @", tiny_model(1), data, checkpoint, part);
    assert_run(r, 130);
    assert_has(r.err, "interrupted");
    float context[2][4 * TINY_WIDTH], gate[2][4 * TINY_DIM];
    read_prompt(part, context[0], gate[0]);
    read_prompt(whole, context[1], gate[1]);
    assert_memory_not_equal(context[0], context[1], sizeof context[0]);
    r = run_mopd(NULL, LEARN "--epochs 300 --resume @ -o @", tiny_model(1), data, checkpoint, part);
    assert_run(r, 0);
    assert_same_files(whole, part);
    r = run_mopd(NULL, LEARN "--epochs 301 --resume @ -o @", tiny_model(1), data, checkpoint, part);
    assert_one_error(&r, 1, "checkpoint.safetensors", "epochs");
    assert_same_files(whole, part);
}

/* The counts are the same, the content is not. */
static void resume_notices_another_picture(void **state)
{
    (void)state;
    const char *data = labelled_data("replaced"), *run = test_path("replaced-run.safetensors"),
               *out = test_path("replaced.safetensors");
    run_result r = run_mopd(&(run_setup){.interrupt_at = "\n    3 "},
        LEARN "--epochs 300 --checkpoint @ -o @", tiny_model(1), data, run, out);
    assert_run(r, 130);
    test_png("replaced/train/b/1.png", 14, 11, 4711);
    r = run_mopd(NULL, LEARN "--epochs 300 --resume @ -o @", tiny_model(1), data, run, out);
    assert_one_error(&r, 1, "replaced-run.safetensors: was made with other pictures", "one was replaced");
}

/* train | head -1: what was asked for is learned whole, and the exit status tells. */
static void a_reader_that_goes_away_stops_no_training(void **state)
{
    (void)state;
    const char *data = labelled_data("head"), *whole = test_path("head-whole.safetensors"),
               *piped = test_path("head-piped.safetensors");
    run_result r = run_mopd(NULL, LEARN "--epochs 5 -o @", tiny_model(1), data, whole);
    assert_run(r, 0);
    r = run_mopd(&(run_setup){.closed_pipe = true}, LEARN "--epochs 5 -o @", tiny_model(1), data, piped);
    assert_run(r, 1);
    assert_has(r.err, "mopd: note: standard output cannot be written; the training goes on");
    assert_has(r.err, "mopd: error: cannot write the output");
    assert_same_files(whole, piped);
}

static void auto_chooses_and_says_what(void **state)
{
    (void)state;
    const char *data = labelled_data("auto"), *prompt = test_path("auto.safetensors");
    run_result r = run_mopd(NULL, LEARN "--epochs 2 --auto -o @", tiny_model(1), data, prompt);
    assert_run(r, 0);
    assert_has(r.err, "mopd: note: --auto chose w ");
    r = run_mopd(NULL, "inspect --format json @", prompt);
    assert_run(r, 0);
    assert_has(r.out, "auto");
}

/* The page stands alone: pictures inside, nothing fetched, names escaped. */
static void report_is_one_page(void **state)
{
    (void)state;
    labelled_data("page");
    assert_int_equal(rename(test_path("page/train/d"), test_path("page/train/<&x")), 0);
    assert_int_equal(rename(test_path("page/test/d"), test_path("page/test/<&x")), 0);
    const char *page = test_path("page.html");
    run_result r = run_mopd(NULL, LEARN "--epochs 3 --report @ -o @", tiny_model(1), test_path("page"), page,
        test_path("page.safetensors"));
    assert_run(r, 0);
    size_t n;
    char *html = read_whole(page, &n);
    static const char *const parts[] = {"<!DOCTYPE html>", "name=\"viewport\"", "id=\"methods\"", "zero-shot",
        "gda", "fit", "its 95&nbsp;% interval", "id=\"classes\"", "the worst first", "Most confused",
        "data:image/png;base64,iVBORw0KGgo", "whose label looks wrong", "<polyline", "id=\"gate\"",
        "&lt;&amp;x", "is_{}?", "test pictures", "<td>data</td>", "<td>epochs</td>", "Made by mopd",
        "</html>"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) assert_has(html, parts[i]);
    static const char *const none[] = {
        "http", "<script", "<link", "url(", "<&x", "nan&", "nan%", "nan,", "inf&", "inf%", "inf,"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        if (strstr(html, none[i])) fail_msg("'%s' stands in the page", none[i]);
    }
    free(html);
    r = run_mopd(NULL, LEARN "--epochs 1 --method coop --report @ -o @", tiny_model(1), test_path("page"),
        page, test_path("page.safetensors"));
    assert_run(r, 0);
    html = read_whole(page, &n);
    assert_has(html, "learns no gate");
    free(html);
}

/* Counts on the page are those of eval, and the bars are there at any width. */
static void the_report_leads_with_accuracy_and_the_worst_class(void **state)
{
    (void)state;
    const char *data = labelled_data("lead"), *page = test_path("lead.html");
    run_result r = run_mopd(
        NULL, LEARN "--epochs 2 --report @ -o @", tiny_model(1), data, page, test_path("lead.safetensors"));
    assert_run(r, 0);
    r = run_mopd(
        NULL, "eval -m @ -d @ -p @ --format json", tiny_model(1), data, test_path("lead.safetensors"));
    assert_run(r, 0);
    json_t *eval = labelled_json(&r), *classes = json_object_get(eval, "classes");
    char row[128];
    size_t n;
    char *html = read_whole(page, &n), *at = strstr(html, "id=\"classes\"");
    snprintf(row, sizeof row, "<b>%.1f&nbsp;%%</b><span>accuracy", labelled_number(eval, "accuracy"));
    assert_has(html, row);
    assert_true(strstr(html, "id=\"methods\"") < at && at < strstr(html, "<polyline"));
    for (double last = 0; (at = strstr(at, "&thinsp;/&thinsp;3</td><td class=\"num\">"));) {
        at += strlen("&thinsp;/&thinsp;3</td><td class=\"num\">");
        assert_true(strtod(at, NULL) >= last);
        last = strtod(at, NULL);
    }
    for (size_t c = 0; c < json_array_size(classes); c++) {
        const json_t *one = json_array_get(classes, c);
        snprintf(row, sizeof row, "<tr><td>%s</td><td class=\"num\">%.0f&thinsp;/",
            json_string_value(json_object_get(one, "name")), labelled_number(one, "correct"));
        assert_has(html, row);
    }
    assert_null(strstr(html, "td:last-child{display:none"));
    json_decref(eval);
    free(html);
}

/* With a date given from outside the page repeats; without test pictures it says what it was measured on. */
static void the_report_repeats_and_owns_up(void **state)
{
    (void)state;
    const char *a = test_path("once.html"), *b = test_path("twice.html");
    labelled_data("again");
    assert_int_equal(rename(test_path("again/train"), test_path("alone")), 0);
    setenv("SOURCE_DATE_EPOCH", "86400", 1);
    for (int i = 0; i < 2; i++) {
        run_result r = run_mopd(NULL, LEARN "--epochs 2 --report @ -o @", tiny_model(1), test_path("alone"),
            i ? b : a, test_path("again.safetensors"));
        assert_run(r, 0);
    }
    unsetenv("SOURCE_DATE_EPOCH");
    assert_same_files(a, b);
    size_t n;
    char *html = read_whole(a, &n);
    assert_has(html, "on 1970-01-02 at 00:00 UTC.");
    assert_has(html, "There are no test pictures");
    assert_has(html, "each picture left out in its turn");
    assert_has(html, "needs other pictures");
    free(html);
}

/* The bytes of the picture that begins at `text` in base64. */
static size_t decode_base64(uint8_t *out, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;
    uint32_t bits = 0;
    for (size_t i = 0; text[i] != '"'; i++) {
        const char *digit = strchr(digits, text[i]);
        bits = bits << 6 | (digit ? (uint32_t)(digit - digits) : 0);
        if (i % 4 < 3) continue;
        for (int k = 16; k >= 0; k -= 8) out[n++] = (uint8_t)(bits >> k);
    }
    return n;
}

/* 140 x 150 become 119 x 128, with the same mean colour. */
static void the_report_shows_large_pictures_as_small_copies(void **state)
{
    (void)state;
    const char *data = labelled_data("large"), *page = test_path("large.html");
    static uint8_t bytes[70000];
    mopd_image *large, *small;
    for (int c = 0; c < LABELLED_CLASSES; c++)
        for (int i = 0; i < LABELLED_TEST; i++) {
            char name[64];
            snprintf(name, sizeof name, "large/test/%c/%d.png", 'a' + c, i);
            test_png(name, 140, 150, 5); /* 63,150 bytes; all alike, so that some are wrong */
        }
    run_result r = run_mopd(
        NULL, LEARN "--epochs 2 --report @ -o @", tiny_model(1), data, page, test_path("large.safetensors"));
    assert_run(r, 0);
    size_t n;
    char *html = read_whole(page, &n), *at = strstr(html, "data:image/png;base64,");
    assert_non_null(at);
    n = decode_base64(bytes, at + strlen("data:image/png;base64,"));
    assert_ok(mopd_image_decode(&small, bytes, n, NULL));
    assert_ok(mopd_image_open(&large, test_path("large/test/a/0.png"), NULL));
    assert_int_equal(mopd_image_width(small), 119);
    assert_int_equal(mopd_image_height(small), 128);
    double mean[2] = {0};
    for (size_t i = 0; i < 119 * 128 * 3; i++) mean[0] += mopd_image_samples(small)[i] / (119.0 * 128 * 3);
    for (size_t i = 0; i < 140 * 150 * 3; i++) mean[1] += mopd_image_samples(large)[i] / (140.0 * 150 * 3);
    assert_true(fabs(mean[0] - mean[1]) < 2);
    mopd_image_close(small);
    mopd_image_close(large);
    free(html);
}

/* Accuracy by eval, in percent. */
static double accuracy_of(const char *data, const char *subset, const char *by, const char *more)
{
    run_result r =
        run_mopd(NULL, "eval -m @ -d @ --format json --subset @ @ @", tiny_model(1), data, subset, by, more);
    assert_run(r, 0);
    json_t *j = labelled_json(&r);
    double accuracy = labelled_number(j, "accuracy");
    json_decref(j);
    return accuracy;
}

/* New classes take half of the way back to the words, all of it, or none; base classes never do. */
static void unseen_classes_take_part_of_the_context(void **state)
{
    (void)state;
    const char *data = labelled_data("unseen"), *prompt = test_path("unseen.safetensors");
    char by[512], classify[512];
    run_result r = run_mopd(NULL, LEARN "--subset base --steps 40 -q -o @", tiny_model(1), data, prompt);
    assert_run(r, 0);
    snprintf(by, sizeof by, "--prompt=%s", prompt);
    double words = accuracy_of(data, "new", "--template=a photo of a {}.", "-q");
    assert_true(accuracy_of(data, "new", by, "--unseen=0") == words);
    assert_true(accuracy_of(data, "new", by, "-q") == accuracy_of(data, "new", by, "--unseen=0.5"));
    assert_true(accuracy_of(data, "base", by, "--unseen=0") == accuracy_of(data, "base", by, "--unseen=1"));
    snprintf(classify, sizeof classify, "%s/test/d/0.png", data);
    char *out[3];
    static const char *const shares[] = {"--unseen=1", "--unseen=0.5", "-q"};
    for (int i = 0; i < 3; i++) {
        r = run_mopd(NULL, "classify -m @ -p @ --classes c,d --format json @ @", tiny_model(1), prompt,
            shares[i], classify);
        assert_run(r, 0);
        out[i] = strdup(r.out);
    }
    assert_string_equal(out[1], out[2]);
    assert_string_not_equal(out[0], out[1]);
    for (int i = 0; i < 3; i++) free(out[i]);
    static const char *const bad[][2] = {{"classify -m m -p p --classes a --unseen 1.1 x.png", "from 0 to 1"},
        {"classify -m m --classes a --unseen 1 x.png", "--unseen goes with -p PROMPT"},
        {"eval -m m -d d -p p --unseen -0.1", "from 0 to 1"},
        {"eval -m m -d d --unseen 1", "--unseen goes with"}, {"fit -d d -o r -p p --unseen 2", "from 0 to 1"},
        {"fit -d d -o r --unseen 1", "--unseen goes with"}, {"bench-new -d d --unseen 2", "from 0 to 1"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        r = run_mopd(NULL, bad[i][0]);
        assert_one_error(&r, 2, bad[i][1], "");
    }
}

/* A recogniser's classes that its prompt was not trained on, too. */
static void fit_takes_the_prompt_half_way(void **state)
{
    (void)state;
    const char *data = labelled_data("fit-prompt"), *prompt = test_path("fit-prompt.safetensors");
    const char *a = test_path("fit-a.safetensors"), *b = test_path("fit-b.safetensors"),
               *c = test_path("fit-c.safetensors");
    run_result r = run_mopd(NULL, LEARN "--subset base --steps 40 -q -o @", tiny_model(1), data, prompt);
    assert_run(r, 0);
    static const char line[] = "fit -m @ -d @ -p @ @ -q -o @";
    r = run_mopd(NULL, line, tiny_model(1), data, prompt, "-q", a);
    assert_run(r, 0);
    r = run_mopd(NULL, line, tiny_model(1), data, prompt, "--unseen=0.5", b);
    assert_run(r, 0);
    r = run_mopd(NULL, line, tiny_model(1), data, prompt, "--unseen=1", c);
    assert_run(r, 0);
    assert_same_files(a, b);
    size_t n, m;
    char *half = read_whole(b, &n), *whole = read_whole(c, &m);
    assert_false(n == m && !memcmp(half, whole, n));
    free(half);
    free(whole);
}

static void wrong_training_is_told(void **state)
{
    (void)state;
    const char *data = labelled_data("wrong");
    static const struct {
        const char *line, *word;
        int status;
    } bad[] = {
        {LEARN, "-o PROMPT", 2},
        {"train -m @ -o p", "-d DATA", 2},
        {LEARN "--method gda -o p", "wrong -o p'; fit is better than gda", 2},
        {LEARN "--method fit -o p", "type 'mopd fit -d ", 2},
        {LEARN "--method zero-shot -o p", "type 'mopd eval -d ", 2},
        {LEARN "--method best -o p", "best", 2},
        {LEARN "--views many -o p", "many", 2},
        {LEARN "--auto --w 0.5 -o p", "--auto", 2},
        {LEARN "--epochs 0 -o p", "--epochs", 2},
        {LEARN "--class-position left -o p", "left", 2},
        {LEARN "--top-k 5 -o @", "5", 1},
        {LEARN "--template none -o @", "{}", 1},
        {LEARN "-o /no/such/folder/p", "/no/such/folder/p", 1},
        {LEARN "-o /tmp", "is a directory", 1},
        {LEARN "--resume /no/checkpoint -o @", "/no/checkpoint", 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        run_result r = run_mopd(NULL, bad[i].line, tiny_model(1), data, test_path("p"));
        assert_one_error(&r, bad[i].status, bad[i].word, "");
    }
    const char *store = test_path("augmented.safetensors");
    run_result r = run_mopd(NULL, "features -m @ -d @ --views 2 -q -o @", tiny_model(1), data, store);
    assert_run(r, 0);
    r = run_mopd(NULL, LEARN "--views fresh -o @", tiny_model(1), store, test_path("p"));
    assert_one_error(&r, 1, "augmented.safetensors", "feature store");
    r = run_mopd(NULL, LEARN "--views 0 -o @", tiny_model(1), store, test_path("p"));
    assert_one_error(&r, 1, "augmented.safetensors", "2 augmented views");
    r = run_mopd(NULL, LEARN "--views 3 -o @", tiny_model(1), store, test_path("p"));
    assert_one_error(&r, 1, "holds 2 augmented views", "3");
    test_text("wrong/train/c/3.png", "no picture");
    r = run_mopd(NULL, LEARN "-o @", tiny_model(1), data, test_path("p"));
    assert_one_error(&r, 1, "wrong/train/c/3.png", "");
    assert_int_not_equal(access(test_path("p"), F_OK), 0);
}

/* Who gives one template need not know how many templates the method keeps. */
static void one_template_is_enough(void **state)
{
    (void)state;
    const char *data = labelled_data("single"), *prompt = test_path("single.safetensors");
    static const char one[] = "train -m @ -d @ --template {} --method mopd --epochs 1 -q -o @";
    assert_run(run_mopd(NULL, one, tiny_model(1), data, prompt), 0);
    assert_run(run_mopd(NULL, "bench-new -m @ -d @ --template {} --methods mopd --epochs 1 --seeds 1 -q",
                   tiny_model(1), data),
        0);
    run_result r = run_mopd(
        NULL, "train -m @ -d @ --template {} --method mopd --top-k 2 -q -o @", tiny_model(1), data, prompt);
    assert_one_error(&r, 1, "top_k is 2", "there are 1 templates");
}

static void bench_new_runs_the_protocol(void **state)
{
    (void)state;
    const char *data = labelled_data("bench");
    run_result r =
        run_mopd(NULL, "bench-new -m @ -d @ " TEACHERS " --seeds 1,2 --shots 2 --epochs 2 --format json -q",
            tiny_model(1), data);
    assert_run(r, 0);
    json_t *j = labelled_json(&r), *rows = json_object_get(j, "rows");
    static const char *const methods[] = {"zero-shot", "fit", "gda", "coop", "kgcoop", "prograd", "mopd"};
    assert_int_equal(json_array_size(rows), 7);
    for (size_t m = 0; m < 7; m++) {
        const json_t *row = json_array_get(rows, m), *seeds = json_object_get(row, "seeds");
        assert_string_equal(json_string_value(json_object_get(row, "method")), methods[m]);
        double base = labelled_number(row, "base"), fresh = labelled_number(row, "new"),
               mixed = labelled_number(row, "mixed");
        assert_true(base >= 0 && base <= 100 && fresh >= 0 && fresh <= 100 && mixed >= 0 && mixed <= 100);
        assert_true(mixed <=
                    (base + fresh) / 2 + 1e-6); /* more classes to mistake a picture for; equal halves here */
        assert_true(fabs(labelled_number(row, "h") - mopd_harmonic_mean(base, fresh)) < 1e-6);
        assert_true(labelled_number(row, "seconds") >= 0);
        assert_true(labelled_number(row, "ece") >= 0 && labelled_number(row, "ece") <= 100);
        assert_int_equal(json_array_size(seeds), 2);
        double first = labelled_number(json_array_get(seeds, 0), "base"),
               second = labelled_number(json_array_get(seeds, 1), "base");
        assert_true(fabs((first + second) / 2 - base) < 1e-6);
    }
    const json_t *zero = json_array_get(rows, 0);
    r = run_mopd(NULL, "eval -m @ -d @ --template a_{} --subset new --format json", tiny_model(1), data);
    assert_run(r, 0);
    json_t *eval = labelled_json(&r);
    assert_true(fabs(labelled_number(eval, "accuracy") - labelled_number(zero, "new")) < 1e-6);
    json_decref(eval);
    json_decref(j);
}

/* What fit and eval -r make of the same pictures stands in the row of fit. */
static void bench_new_fit_is_fit_and_eval(void **state)
{
    (void)state;
    const char *data = labelled_data("bench-fit"), *path = test_path("bench-fit.safetensors");
    run_result r =
        run_mopd(NULL, "bench-new -m @ -d @ " TEACHERS " --methods fit --seeds 1,2 --shots 3 --format json",
            tiny_model(1), data);
    assert_run(r, 0);
    json_t *j = labelled_json(&r);
    const json_t *row = json_array_get(json_object_get(j, "rows"), 0);
    const json_t *first = json_array_get(json_object_get(row, "seeds"), 0);
    r = run_mopd(NULL, "fit -q -m @ -d @ " TEACHERS " --subset base --shots 3 --seed 1 -o @", tiny_model(1),
        data, path);
    assert_run(r, 0);
    r = run_mopd(NULL, "eval -m @ -d @ -r @ --subset base --format json", tiny_model(1), data, path);
    assert_run(r, 0);
    json_t *eval = labelled_json(&r);
    assert_true(fabs(labelled_number(eval, "accuracy") - labelled_number(first, "base")) < 1e-6);
    json_decref(eval);
    r = run_mopd(NULL, "eval -m @ -d @ -r @ --also c,d --format json", tiny_model(1), data, path);
    assert_run(r, 0);
    eval = labelled_json(&r);
    assert_true(fabs(labelled_number(eval, "accuracy") - labelled_number(first, "mixed")) < 1e-6);
    assert_true(fabs(labelled_number(eval, "ece") - labelled_number(first, "ece")) < 1e-5);
    json_decref(eval);
    json_decref(j);
}

/* With all pictures drawn by every seed, what is not left to chance has no deviation to show. */
static void bench_new_tells_that_seeds_draw_the_same(void **state)
{
    (void)state;
    const char *data = labelled_data("same");
    run_result r =
        run_mopd(NULL, "bench-new -m @ -d @ " TEACHERS " --methods fit,gda --shots 4", tiny_model(1), data);
    assert_run(r, 0);
    assert_has(r.out, "All seeds draw the same pictures");
    assert_null(strstr(r.out, "± 0.00"));
    r = run_mopd(NULL, "bench-new -m @ -d @ " TEACHERS " --methods fit,gda --shots 2", tiny_model(1), data);
    assert_run(r, 0);
    assert_null(strstr(r.out, "All seeds draw"));
    assert_has(r.out, "±");
}

static void bench_new_repeats_and_takes_stores(void **state)
{
    (void)state;
    const char *data = labelled_data("again"), *store = test_path("again.safetensors");
    const char *line = "bench-new -m @ -d @ " TEACHERS
                       " --methods gda,mopd --seeds 3,1 --shots 3 --epochs 2 --format csv -q @";
    run_result r = run_mopd(NULL, "features -m @ -d @ -q -o @", tiny_model(1), data, store);
    assert_run(r, 0);
    run_result a = run_mopd(NULL, line, tiny_model(1), data, "--threads=1");
    run_result b = run_mopd(NULL, line, tiny_model(1), store, "--threads=2");
    assert_run(a, 0);
    assert_run(b, 0);
    for (const char *x = a.out, *y = b.out; *x || *y;
         x++, y++) { /* the last two fields of a line are times */
        int commas = 0;
        while (*x != '\n' && commas < 10) {
            assert_int_equal(*x, *y);
            commas += *x == ',';
            x++, y++;
        }
        x = strchr(x, '\n');
        y = strchr(y, '\n');
        assert_true(x && y);
    }
    r = run_mopd(NULL, "bench-new -m @ -d @ --methods mopd,best", tiny_model(1), data);
    assert_one_error(&r, 2, "best", "--methods");
    r = run_mopd(NULL, "bench-new -m @ -d @ --seeds 1,x", tiny_model(1), data);
    assert_one_error(&r, 2, "--seeds", "x");
}

/* Four classes more, so that the base half has the four that --auto needs. */
static const char *eight_classes(const char *name)
{
    const char *data = labelled_data(name);
    char path[128];
    uint32_t seed = 1000;
    for (int split = 0; split < 2; split++)
        for (int c = 0; c < 4; c++)
            for (int i = 0; i < (split ? LABELLED_TEST : LABELLED_TRAIN); i++) {
                snprintf(path, sizeof path, "%s/%s/%c/%d.png", name, split ? "test" : "train", 'e' + c, i);
                test_png(path, 14, 11, seed++);
            }
    return data;
}

/* How many epochs a training has. */
static size_t n_epochs(const char *data, const char *length, const char *shots)
{
    run_result r = run_mopd(NULL, LEARN "@ --shots @ --format json -o @", tiny_model(1), data, length, shots,
        test_path("length.safetensors"));
    assert_run(r, 0);
    json_t *j = labelled_json(&r);
    size_t n = json_array_size(json_object_get(j, "epochs"));
    json_decref(j);
    return n;
}

static void length_is_given_in_epochs_or_steps(void **state)
{
    (void)state;
    const char *data =
        eight_classes("length"); /* steps an epoch: one with one picture a class, four with four */
    assert_int_equal(n_epochs(data, "-q", "1"), 196); /* 7 steps for each of 28 pairs of classes */
    assert_int_equal(n_epochs(data, "-q", "4"), 50);
    assert_int_equal(n_epochs(data, "--epochs=50", "1"), 50);
    assert_int_equal(n_epochs(data, "--steps=5", "1"), 5);
    assert_int_equal(n_epochs(data, "--steps=5", "4"), 2);
    static const char *const bad[][2] = {{"--epochs=2 --steps=2", "--epochs and --steps exclude each other"},
        {"--epochs=0", "--epochs 0: from 1 to 1048576"}, {"--steps=0", "--steps 0: from 1 to 1048576"},
        {"--steps=1048577", "--steps 1048577: from 1 to 1048576"}};
    char line[256];
    for (size_t i = 0; i < 4; i++)
        for (int k = 0; k < 2; k++) {
            snprintf(line, sizeof line, "%s -m m -d d %s %s", k ? "bench-new" : "train", k ? "" : "-o p",
                bad[i][0]);
            run_result r = run_mopd(NULL, line);
            assert_one_error(&r, 2, bad[i][1], "");
        }
}

/* The protocol with --auto is train --auto on the base classes and eval on both halves; coop is not touched. */
static void bench_new_auto_is_train_auto(void **state)
{
    (void)state;
    const char *data = eight_classes("auto-bench"), *prompt = test_path("auto-bench.safetensors");
    static const char line[] = "bench-new -m @ -d @ " TEACHERS " --lr 0.05 --batch 8 --methods coop,mopd "
                               "--seeds 1,2 --shots 3 --epochs 4 --format json @";
    run_result r = run_mopd(NULL, line, tiny_model(1), data, "--auto");
    assert_run(r, 0);
    assert_has(r.err, "seed 1: --auto chose w ");
    assert_has(r.err, "seed 2: --auto chose w ");
    const char *chosen = strstr(r.err, "--auto chose w ");
    char choice[64];
    snprintf(choice, sizeof choice, "%.*s", (int)strcspn(chosen, "\n"), chosen);
    json_t *automatic = labelled_json(&r), *rows = json_object_get(automatic, "rows");
    const json_t *first = json_array_get(json_object_get(json_array_get(rows, 1), "seeds"), 0);
    r = run_mopd(NULL, line, tiny_model(1), data, "-q");
    assert_run(r, 0);
    json_t *plain = labelled_json(&r);
    assert_true(labelled_number(json_array_get(json_object_get(plain, "rows"), 0), "base") ==
                labelled_number(json_array_get(rows, 0), "base"));
    r = run_mopd(
        NULL, LEARN "--subset base --shots 3 --seed 1 --epochs 4 --auto -o @", tiny_model(1), data, prompt);
    assert_run(r, 0);
    assert_has(r.err, choice);
    static const char *const subsets[] = {"base", "new"};
    for (int i = 0; i < 2; i++) {
        r = run_mopd(
            NULL, "eval -m @ -d @ -p @ --format json --subset @", tiny_model(1), data, prompt, subsets[i]);
        assert_run(r, 0);
        json_t *eval = labelled_json(&r);
        assert_true(fabs(labelled_number(eval, "accuracy") - labelled_number(first, subsets[i])) < 1e-6);
        json_decref(eval);
    }
    json_decref(plain);
    json_decref(automatic);
    r = run_mopd(NULL, line, tiny_model(1), labelled_data("auto-few"), "--auto");
    assert_one_error(&r, 1, "2 classes", "4 are needed");
    r = run_mopd(NULL, "bench-new -m @ -d @ --auto --top-k 3", tiny_model(1), data);
    assert_one_error(&r, 2, "--auto", "top-k");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(train_json_has_the_promised_fields),
        cmocka_unit_test(same_prompt_from_folder_and_store_at_any_thread_count),
        cmocka_unit_test(fresh_views_are_the_cached_ones),
        cmocka_unit_test(interrupted_training_resumes_to_the_same_bytes),
        cmocka_unit_test(auto_chooses_and_says_what),
        cmocka_unit_test(length_is_given_in_epochs_or_steps),
        cmocka_unit_test(unseen_classes_take_part_of_the_context),
        cmocka_unit_test(fit_takes_the_prompt_half_way),
        cmocka_unit_test(bench_new_auto_is_train_auto),
        cmocka_unit_test(report_is_one_page),
        cmocka_unit_test(resume_notices_another_picture),
        cmocka_unit_test(a_reader_that_goes_away_stops_no_training),
        cmocka_unit_test(the_report_leads_with_accuracy_and_the_worst_class),
        cmocka_unit_test(the_report_repeats_and_owns_up),
        cmocka_unit_test(the_report_shows_large_pictures_as_small_copies),
        cmocka_unit_test(wrong_training_is_told),
        cmocka_unit_test(one_template_is_enough),
        cmocka_unit_test(bench_new_runs_the_protocol),
        cmocka_unit_test(bench_new_fit_is_fit_and_eval),
        cmocka_unit_test(bench_new_tells_that_seeds_draw_the_same),
        cmocka_unit_test(bench_new_repeats_and_takes_stores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
