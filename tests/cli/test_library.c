/* SPDX-License-Identifier: MIT
 * test_library.c - a photo library: a store of pictures without labels, searched, classified, encoded, kept in step with
 * its folder, and made by runs that were killed. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/labelled.h"

static const char *library(const char *name)
{
    static const char *const files[] = {"2015/07/a.png", "2015/07/b.png", "2015/12/c.png", "2016/01/d.png"};
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", name, files[i]);
        test_png(path, 14, 11, (uint32_t)i + 1);
    }
    return test_path(name);
}

static const char *stored(const char *data, const char *more, const char *store)
{
    run_result r = run_mopd(NULL, "features -m @ -d @ @ -q -o @", tiny_model(1), data, more, store);
    assert_run(r, 0);
    return store;
}

static void nested_folders_become_a_store(void **state)
{
    (void)state;
    const char *data = library("years"), *store = test_path("years.safetensors");
    run_result r = run_mopd(NULL, "features -m @ -d @ -o @", tiny_model(1), data, store);
    assert_run(r, 0);
    assert_has(r.out, "years.safetensors: 4 pictures without labels (+4), 1 x 12 features each");
    assert_has(r.err, "no class folder holds pictures, and no list names labels: 4 pictures without labels");
    r = run_mopd(
        NULL, "features -m @ -d @ --unlabelled -o @", tiny_model(1), data, test_path("said.safetensors"));
    assert_run(r, 0);
    assert_string_equal(r.err, "");
    assert_same_files(store, test_path("said.safetensors"));
    static const char *const lines[] = {"train -m @ -d @ -o x", "eval -m @ -d @", "fit -m @ -d @ -o x"};
    for (size_t i = 0; i < 3; i++) {
        r = run_mopd(NULL, lines[i], tiny_model(1), store);
        assert_one_error(&r, 1, "years.safetensors: the pictures have no labels", "column 'label'");
    }
    test_text("years/2016/direct.png", "");
    r = run_mopd(NULL, "features -m @ -d @ -o @", tiny_model(1), data, store);
    assert_one_error(&r, 1, "class '2015' has no picture", "--unlabelled takes pictures in whatever folders");
}

static json_t *search(const char *store, const char *how, const char *what, const char *more)
{
    run_result r =
        run_mopd(NULL, "search -m @ -d @ @ @ --format json @", tiny_model(1), store, how, what, more);
    assert_run(r, 0);
    assert_string_equal(r.err, "");
    json_t *d = labelled_json(&r), *results = json_incref(json_object_get(d, "results"));
    json_decref(d);
    return results;
}

/* The cosines of the library, for the text or the picture. */
static void search_ranks_as_the_library_does(void **state)
{
    (void)state;
    const char *store = stored(library("find"), "--unlabelled", test_path("find.safetensors"));
    mopd_encoder *encoder = tiny_open(1, 1);
    mopd_dataset *d = NULL;
    float query[TINY_DIM];
    const char *text = "a boat";
    assert_ok(mopd_dataset_open(&d, store, NULL));
    assert_ok(mopd_encoder_encode_texts(encoder, &text, 1, query));
    json_t *results = search(store, "--text", text, "--top=9");
    assert_int_equal(json_array_size(results), 4);
    double before = 2;
    for (size_t i = 0; i < 4; i++) {
        const json_t *one = json_array_get(results, i);
        mopd_item item = {.struct_size = sizeof item};
        size_t at = 0;
        do assert_ok(mopd_dataset_get_item(d, at++, &item));
        while (strcmp(item.path, json_string_value(json_object_get(one, "path"))));
        double cosine = 0;
        for (size_t k = 0; k < TINY_DIM; k++)
            cosine += (double)query[k] * (double)mopd_dataset_feature(d, at - 1, 0)[k];
        assert_true(fabs(labelled_number(one, "cosine") - cosine) < 1e-6);
        assert_true(labelled_number(one, "cosine") <= before);
        before = labelled_number(one, "cosine");
        assert_int_equal(access(json_string_value(json_object_get(one, "file")), R_OK), 0);
    }
    json_decref(results);
    results = search(store, "--image", test_path("find/2015/12/c.png"), "--top=1");
    assert_int_equal(json_array_size(results), 1);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(results, 0), "path")), "2015/12/c.png");
    assert_true(labelled_number(json_array_get(results, 0), "cosine") > 1 - 1e-6);
    json_decref(results);
    mopd_dataset_close(d);
    mopd_encoder_close(encoder);
}

static void search_shows_tables(void **state)
{
    (void)state;
    const char *data = library("show"), *store = stored(data, "--unlabelled", test_path("show.safetensors"));
    run_result r = run_mopd(NULL, "search -m @ -d @ --text boat --top 2", tiny_model(1), store);
    assert_run(r, 0);
    assert_int_equal(strncmp(r.out, "cosine  picture\n", 16), 0);
    assert_has(r.out, "show/2015/");
    r = run_mopd(NULL, "search -m @ -d @ --text boat --format csv", tiny_model(1), store);
    assert_run(r, 0);
    assert_int_equal(strncmp(r.out, "rank,path,cosine,file\r\n1,201", 28), 0);
    run_result folder = run_mopd(NULL, "search -m @ -d @ --text boat --format csv", tiny_model(1), data);
    assert_run(folder, 0); /* encoded on the way */
    assert_string_equal(folder.out, r.out);
    r = run_mopd(NULL, "search -m @ -d @ --text boat", tiny_model(2), store);
    assert_one_error(&r, 1, "show.safetensors: the features were made by encoder", "this one is");
    r = run_mopd(NULL, "search -m @ -d @ --image @", tiny_model(1), store, test_text("no.png", "no picture"));
    assert_one_error(&r, 1, "no.png", "");
    static const char *const wrong[] = {"search -m @ --text a", "search -m @ -d s",
        "search -m @ -d s --text a --image b", "search -m @ -d s --text a --top 0",
        "search -m @ -d s --text a b"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        r = run_mopd(NULL, wrong[i], tiny_model(1));
        assert_one_error(&r, 2, "", "");
    }
}

/* A store answers as its pictures do, whichever way it is named. */
static void classify_takes_a_store(void **state)
{
    (void)state;
    const char *data = library("tell"), *store = stored(data, "--unlabelled", test_path("tell.safetensors"));
    static const char *const formats[] = {"json", "csv", "text"};
    for (size_t i = 0; i < 3; i++) {
        run_result files = run_mopd(NULL,
            "classify -m @ --classes boat,tree --top 2 --format @ @/2015/07/a.png "
            "@/2015/07/b.png @/2015/12/c.png @/2016/01/d.png",
            tiny_model(1), formats[i], data, data, data, data);
        assert_run(files, 0);
        run_result r = run_mopd(
            NULL, "classify -m @ --classes boat,tree --top 2 --format @ @", tiny_model(1), formats[i], store);
        assert_string_equal(files.out, r.out);
        run_result named = run_mopd(NULL, "classify -m @ --classes boat,tree --top 2 --format @ -d @",
            tiny_model(1), formats[i], store);
        assert_string_equal(r.out, named.out);
    }
    run_result r = run_mopd(NULL, "classify -m @ --classes a,b @", tiny_model(2), store);
    assert_one_error(&r, 1, "tell.safetensors: the features were made by encoder", "this one is");
    r = run_mopd(NULL, "classify -m @ --classes a,b -d @ x.png", tiny_model(1), store);
    assert_one_error(&r, 2, "'x.png' beside -d", "");
    r = run_mopd(NULL, "encode -m @ --image @ -o @", tiny_model(1), store, test_path("tell.npy"));
    assert_run(r, 0);
    char *list = test_read(test_path("tell.paths.csv"));
    assert_has(list, "tell/2015/12/c.png\n");
    free(list);
}

/* Another process of the library does what the command does, until it is killed. */
static int kill_at_first(void *context, size_t done, size_t total, const char *bad_path, const char *message)
{
    (void)context, (void)done, (void)total, (void)bad_path, (void)message;
    return raise(SIGKILL);
}

static void encode_and_die(const char *data, const char *journal)
{
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        mopd_encoder *encoder = NULL;
        mopd_dataset *d = NULL, *out = NULL;
        mopd_encoder_options as_command;
        mopd_encode_options o;
        mopd_encoder_options_init(&as_command, sizeof as_command);
        as_command.flags = MOPD_OPEN_UPRIGHT;
        if (mopd_encoder_open(&encoder, tiny_model(1), &as_command) != MOPD_OK) _exit(4);
        mopd_encode_options_init(&o, sizeof o);
        o.fn = kill_at_first;
        o.journal = journal;
        if (mopd_dataset_open(&d, data, NULL) == MOPD_OK) mopd_dataset_encode(&out, d, NULL, encoder, &o);
        _exit(3);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void a_killed_run_is_gone_on_with(void **state)
{
    (void)state;
    const char *data = labelled_data("killed"), *store = test_path("killed.safetensors");
    const char *journal = test_path("killed.safetensors.journal");
    encode_and_die(data, journal);
    assert_int_equal(access(store, F_OK), -1);
    test_png("killed/train/a/late.png", 14, 11, 4711);
    run_result r = run_mopd(NULL, "features -m @ -d @ --format json -o @", tiny_model(1), data, store);
    assert_run(r, 0);
    assert_has(r.err, "4 pictures were encoded by a run that did not come to its end");
    json_t *j = labelled_json(&r);
    assert_int_equal((int)labelled_number(j, "resumed"), 4);
    assert_int_equal((int)labelled_number(j, "encoded"), 25);
    json_decref(j);
    assert_int_equal(access(journal, F_OK), -1);
    stored(data, "--threads=1", test_path("unkilled.safetensors"));
    assert_same_files(store, test_path("unkilled.safetensors"));
    r = run_mopd(NULL, "features -m @ -d @ -o @", tiny_model(1), data, test_path("absent/s"));
    assert_one_error(&r, 1, "absent/s: cannot write", "No such file");
    test_text("foreign.safetensors.journal", "notes of mine");
    r = run_mopd(NULL, "features -m @ -d @ -o @", tiny_model(1), data, test_path("foreign.safetensors"));
    assert_one_error(&r, 1, "foreign.safetensors.journal: not a journal", "move it away");
}

static void sync_follows_the_folder(void **state)
{
    (void)state;
    const char *data = labelled_data("sync"),
               *store = stored(data, "--append", test_path("sync.safetensors"));
    assert_int_equal(rename(test_path("sync/train/a/0.png"), test_path("sync/train/b/new.png")), 0);
    assert_int_equal(unlink(test_path("sync/test/c/1.png")), 0);
    run_result r = run_mopd(NULL, "features -m @ -d @ --append -o @", tiny_model(1), data, store);
    assert_one_error(&r, 1, "train/b/new.png: moved here from train/a/0.png", "from class 'a' to 'b'");
    r = run_mopd(NULL, "features -m @ -d @ --sync -o @", tiny_model(1), data, store);
    assert_run(r, 0);
    assert_has(r.out, "27 pictures of 4 classes (-1; 1 moved, 1 withdrawn)");
    stored(data, "--threads=1", test_path("anew.safetensors"));
    assert_same_files(store, test_path("anew.safetensors"));
    assert_int_equal(unlink(test_path("sync/test/c/2.png")), 0);
    r = run_mopd(NULL, "features -m @ -d @ --append -o @ --format csv", tiny_model(1), data, store);
    assert_run(r, 0);
    assert_has(r.err, "1 pictures of");
    assert_has(r.err, "--sync takes them out");
    assert_has(r.out, ",encoded,resumed,moved,withdrawn,gone\r\n27,0,0,4,0,12,");
    assert_has(r.out, ",0,0,0,0,1\r\n");
    r = run_mopd(NULL, "features --sync --withdraw x -o @", store);
    assert_one_error(&r, 2, "--sync needs -d DATA", "");
}

static void progress_comes_in_lines(void **state)
{
    (void)state;
    const char *data = labelled_data("lines");
    setenv("MOPD_PROGRESS", "1e-9", 1);
    run_result r =
        run_mopd(NULL, "features -m @ -d @ -o @", tiny_model(1), data, test_path("lines.safetensors"));
    setenv("MOPD_PROGRESS", "0", 1);
    assert_run(r, 0);
    assert_has(r.err, "mopd: encode: 1 of 28 (3 %)");
    assert_has(r.err, " a second, ");
    assert_has(r.err, " s left\n");
    assert_has(r.err, "mopd: encode: 28 of 28 (100 %)\n");
    assert_null(strchr(r.err, '\r'));
    setenv("MOPD_PROGRESS", "1e-9", 1);
    r = run_mopd(NULL, "features -m @ -d @ -q -o @", tiny_model(1), data, test_path("quiet.safetensors"));
    setenv("MOPD_PROGRESS", "0", 1);
    assert_run(r, 0);
    assert_string_equal(r.err, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_folders_become_a_store),
        cmocka_unit_test(search_ranks_as_the_library_does),
        cmocka_unit_test(search_shows_tables),
        cmocka_unit_test(classify_takes_a_store),
        cmocka_unit_test(a_killed_run_is_gone_on_with),
        cmocka_unit_test(sync_follows_the_folder),
        cmocka_unit_test(progress_comes_in_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
