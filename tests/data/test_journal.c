/* SPDX-License-Identifier: MIT
 * test_journal.c - encodings that are killed, cut short or written to full disks, and gone on with. */
#include "support/datasets.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/journal.h"

/* Pictures; those encoded first, and at most, before they are written. */
enum { N = 150, FIRST = 4, CHUNK = 64, RECORD = 64 + 8 + DATASETS_DIM * 4 + 8 };

static const char *many(const char *name)
{
    char path[64];
    for (int i = 0; i < N; i++) {
        snprintf(path, sizeof path, "%s/%c/%03d.png", name, 'a' + i % 3, i);
        test_png(path, 9, 9, (uint32_t)i);
    }
    return test_path(name);
}

/* An encoding that keeps a journal, and what came of it. */
typedef struct attempt {
    mopd_dataset *data, *out;
    mopd_encode_options options;
    mopd_encode_counts counts;
    size_t kill_at, stop_at;
} attempt;

static int hear(void *context, size_t done, size_t total, const char *bad_path, const char *message)
{
    const attempt *a = context;
    (void)total, (void)bad_path, (void)message;
    if (done == a->kill_at) raise(SIGKILL);
    return done == a->stop_at;
}

static mopd_status try(attempt *a, const mopd_dataset *known)
{
    a->counts = (mopd_encode_counts){.struct_size = sizeof a->counts};
    a->options.fn = hear;
    a->options.context = a;
    a->options.counts = &a->counts;
    mopd_dataset_close(a->out);
    a->out = NULL;
    return mopd_dataset_encode(&a->out, a->data, known, datasets_encoder('a'), &a->options);
}

static attempt begin(mopd_dataset *data, uint32_t n_views, const char *journal)
{
    attempt a = {.data = data, .options = datasets_views(n_views)};
    a.options.journal = journal;
    return a;
}

/* Another process encodes and is killed when it has told of picture n. */
static void killed_at(attempt *a, size_t n)
{
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        a->kill_at = n;
        try(a, NULL);
        _exit(3);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void assert_whole(attempt *a, const mopd_dataset *whole)
{
    assert_ok(mopd_dataset_save(whole, test_path("whole.safetensors")));
    assert_ok(mopd_dataset_save(a->out, test_path("resumed.safetensors")));
    datasets_same_bytes(test_path("whole.safetensors"), test_path("resumed.safetensors"));
}

static size_t file_size(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return (size_t)info.st_size;
}

static void killed_runs_are_gone_on_with(void **state)
{
    (void)state;
    const char *journal = test_path("killed.journal");
    for (uint32_t views = 0; views <= 2; views += 2) {
        mopd_dataset *d = datasets_open(many("killed")), *whole = datasets_encode(d, NULL, views);
        attempt a = begin(d, views, journal);
        static const size_t at[] = {1, CHUNK, CHUNK + 1, 2 * CHUNK + 5};
        for (size_t i = 0; i < 4; i++) killed_at(&a, at[i]);
        assert_ok(try(&a, NULL));
        assert_in_range(a.counts.n_resumed, at[3], N); /* nothing that was told of is lost */
        assert_int_equal(a.counts.n_encoded, N - a.counts.n_resumed);
        assert_whole(&a, whole);
        assert_int_equal(unlink(journal), 0);
        killed_at(&a, 3);
        assert_ok(try(&a, NULL));
        assert_int_equal(a.counts.n_resumed, FIRST);
        assert_int_equal(a.counts.n_encoded, N - FIRST);
        assert_whole(&a, whole);
        assert_int_equal(unlink(journal), 0);
        mopd_dataset *all[] = {d, whole, a.out};
        datasets_close(all, 3);
    }
}

/* A journal that ends anywhere, as after a stop of the whole machine: its good beginning is used. */
static void a_cut_journal_gives_what_it_has(void **state)
{
    (void)state;
    const char *journal = test_path("cut.journal");
    mopd_dataset *d = datasets_open(datasets_pictures("cut")), *whole = datasets_encode(d, NULL, 2);
    attempt a = begin(d, 2, journal);
    assert_ok(try(&a, NULL));
    const size_t record = RECORD + DATASETS_DIM * 4, size = file_size(journal);
    assert_int_equal(size, 256 + 18 * record);
    for (size_t left = 0; left < size; left += 7) {
        assert_int_equal(truncate(journal, (off_t)left), 0);
        assert_ok(try(&a, NULL));
        assert_int_equal(a.counts.n_resumed, left < 256 ? 0 : (left - 256) / record);
        assert_int_equal(file_size(journal), size);
        if (left % 100 < 7) assert_whole(&a, whole);
    }
    mopd_dataset *all[] = {d, whole, a.out};
    datasets_close(all, 3);
}

/* One byte after another is wrong: nothing that was changed is believed. */
static void a_damaged_journal_gives_nothing_wrong(void **state)
{
    (void)state;
    const char *journal = test_path("damaged.journal");
    mopd_dataset *d = datasets_open(datasets_pictures("damaged")), *whole = datasets_encode(d, NULL, 0);
    attempt a = begin(d, 0, journal);
    assert_ok(try(&a, NULL));
    const size_t size = file_size(journal);
    for (size_t at = sizeof "mopd journal " - 1; at < size; at += 37) {
        const int fd = open(journal, O_RDWR | O_CLOEXEC);
        char byte;
        assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
        byte ^= (char)(1 + at % 127);
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
        close(fd);
        assert_ok(try(&a, NULL));
        assert_int_equal(a.counts.n_resumed, at < 256 ? 0 : (at - 256) / RECORD);
        assert_int_equal(a.counts.n_resumed + a.counts.n_encoded, 18);
    }
    assert_whole(&a, whole);
    mopd_dataset *all[] = {d, whole, a.out};
    datasets_close(all, 3);
}

/* Features of other views, seeds, encoders or precision are of no use. */
static void another_run_begins_anew(void **state)
{
    (void)state;
    const char *journal = test_path("another.journal");
    mopd_dataset *d = datasets_open(datasets_pictures("another"));
    attempt a = begin(d, 2, journal);
    for (int kind = 0; kind < 6; kind++) {
        a.options = datasets_views(2);
        a.options.journal = journal;
        assert_ok(try(&a, NULL));
        if (kind == 0) a.options.n_views = 0;
        if (kind == 1) a.options.seed++;
        if (kind == 2) a.options.first_view++;
        if (kind == 3) a.options.n_views++;
        mopd_encoder *e = datasets_encoder(kind == 4 ? 'b' : 'a');
        if (kind == 5) e->precision = MOPD_PRECISION_BF16;
        mopd_dataset *out = NULL;
        assert_ok(mopd_dataset_encode(&out, d, NULL, e, &a.options));
        e->precision = MOPD_PRECISION_F32;
        assert_int_equal(a.counts.n_resumed, 0);
        mopd_dataset_close(out);
    }
    assert_ok(try(&a, NULL));
    mopd_dataset *all[] = {d, a.out};
    datasets_close(all, 2);
}

static void other_files_are_not_touched(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("mine"));
    attempt a = begin(d, 0, test_text("mine.txt", "mopd journeys, and what I saw"));
    assert_fails(try(&a, NULL), MOPD_E_FORMAT, "mine.txt: not a journal");
    assert_null(a.out);
    char *text = test_read(test_path("mine.txt"));
    assert_string_equal(text, "mopd journeys, and what I saw");
    free(text);
    a.options.journal = test_path("no/such/folder");
    assert_fails(try(&a, NULL), MOPD_E_IO, "no/such/folder: cannot write");
    a.options.journal = test_path("mine");
    assert_fails(try(&a, NULL), MOPD_E_IO, "mine: cannot write");
    assert_int_equal(symlink("mine.txt", test_path("mine.link")), 0);
    a.options.journal = test_path("mine.link");
    assert_fails(try(&a, NULL), MOPD_E_IO, "mine.link: cannot write");
    a.options.journal = "/dev/null";
    assert_fails(try(&a, NULL), MOPD_E_IO, "/dev/null: not an ordinary file");
    mopd_dataset_close(d);
}

/* Two processes may not write one journal. */
static void a_journal_has_one_writer(void **state)
{
    (void)state;
    const mo_journal_run run = {.dim = DATASETS_DIM, .n_views = 1};
    const char *path = test_path("one.journal");
    mo_journal *first = NULL, *second = NULL;
    assert_ok(mo_journal_open(&first, path, &run));
    assert_fails(mo_journal_open(&second, path, &run), MOPD_E_STATE, "another process is encoding into it");
    assert_null(second);
    mo_journal_close(first);
    assert_ok(mo_journal_open(&second, path, &run));
    mo_journal_close(second);
    assert_int_equal(access(path, F_OK), -1); /* what holds nothing serves nobody */
    mo_journal_close(NULL);
}

/* Not even the head has room. */
static void a_disk_without_room_is_left_as_it_was(void **state)
{
    (void)state;
    const mo_journal_run run = {.dim = DATASETS_DIM, .n_views = 1};
    const char *path = test_path("tight.journal");
    mo_journal *j = NULL;
    struct rlimit before, little = {.rlim_cur = 100};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    const mopd_status st = mo_journal_open(&j, path, &run);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(st, MOPD_E_IO);
    assert_int_equal(access(path, F_OK), -1);
}

/* A disk that is full: the call fails and says so, and what was written before serves the next one. */
static void a_full_disk_loses_nothing(void **state)
{
    (void)state;
    const char *journal = test_path("full.journal");
    mopd_dataset *d = datasets_open(many("full")), *whole = datasets_encode(d, NULL, 0);
    attempt a = begin(d, 0, journal);
    struct rlimit before, little = {.rlim_cur = 256 + CHUNK * RECORD + 100};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    const mopd_status st = try(&a, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(st, MOPD_E_IO);
    assert_non_null(strstr(mopd_last_error(), "full.journal: cannot write: "));
    assert_null(a.out);
    assert_ok(try(&a, NULL));
    assert_in_range(a.counts.n_resumed, FIRST, CHUNK);
    assert_whole(&a, whole);
    mopd_dataset *all[] = {d, whole, a.out};
    datasets_close(all, 3);
}

/* What is known is not kept twice, and pictures that could not be read are tried again. */
static void journals_hold_what_was_computed(void **state)
{
    (void)state;
    const char *journal = test_path("some.journal");
    mopd_dataset *d = datasets_open(datasets_pictures("some")), *part = NULL;
    const size_t few[] = {1, 4, 8};
    assert_ok(mopd_dataset_pick(&part, d, few, 3, MOPD_PICK_RELABEL));
    mopd_dataset *known = datasets_encode(part, NULL, 0), *whole = datasets_encode(d, NULL, 0);
    test_text("some/train/b/1.png", "no picture yet");
    attempt a = begin(d, 0, journal);
    a.options.flags = MOPD_ENCODE_SKIP_BAD;
    assert_ok(try(&a, known));
    assert_int_equal(a.counts.n_bad, 1);
    assert_int_equal(a.counts.n_known, 3);
    assert_int_equal(a.counts.n_encoded, 14);
    assert_int_equal(file_size(journal), 256 + 14 * RECORD);
    datasets_pictures("some");
    assert_ok(try(&a, known));
    assert_int_equal(a.counts.n_resumed, 14);
    assert_int_equal(a.counts.n_encoded, 1);
    assert_whole(&a, whole);
    a.stop_at = 2;
    assert_fails(try(&a, NULL), MOPD_E_CANCELLED, "after 2 of 18");
    assert_int_equal(datasets_info(a.out).n_items, 2);
    mopd_dataset *all[] = {d, part, known, whole, a.out};
    datasets_close(all, 5);
}

static mopd_status encode_twice(void *journal)
{
    mopd_dataset *d = NULL, *a = NULL, *b = NULL;
    mopd_encode_options o;
    mopd_encode_options_init(&o, sizeof o);
    o.journal = journal;
    mopd_status st = mopd_dataset_open(&d, test_path("lean"), NULL);
    if (st == MOPD_OK) st = mopd_dataset_encode(&a, d, NULL, datasets_encoder('a'), &o);
    if (st == MOPD_OK) st = mopd_dataset_encode(&b, d, NULL, datasets_encoder('a'), &o);
    mopd_dataset *all[] = {d, a, b};
    datasets_close(all, 3);
    unlink(journal);
    return st;
}

static void journals_survive_lack_of_memory(void **state)
{
    (void)state;
    char path[512];
    test_png("lean/a/1.png", 9, 9, 1);
    test_png("lean/b/2.png", 9, 9, 2);
    snprintf(path, sizeof path, "%s", test_path("lean.journal"));
    test_torture(encode_twice, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_runs_are_gone_on_with),
        cmocka_unit_test(a_cut_journal_gives_what_it_has),
        cmocka_unit_test(a_damaged_journal_gives_nothing_wrong),
        cmocka_unit_test(another_run_begins_anew),
        cmocka_unit_test(other_files_are_not_touched),
        cmocka_unit_test(a_journal_has_one_writer),
        cmocka_unit_test(a_full_disk_loses_nothing),
        cmocka_unit_test(a_disk_without_room_is_left_as_it_was),
        cmocka_unit_test(journals_hold_what_was_computed),
        cmocka_unit_test(journals_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
