/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Settings from defaults, files and arguments, and what is said about wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "proto/config.h"

enum { ARGUMENTS_MAX = 8 };

static char path[] = "/tmp/sohoa-config-XXXXXX";
static struct err err;

static int path_make(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int path_remove(void **state)
{
    (void)state;
    return remove(path);
}

/* Loads with the arguments given, NULL ends them. */
static int load(enum config_reader reader, struct config **config, ...)
{
    char *argv[ARGUMENTS_MAX] = {(char *)"sohoa-test"};
    int argc = 1;
    va_list ap;
    va_start(ap, config);
    while ((argv[argc] = va_arg(ap, char *)))
        assert_true(++argc < ARGUMENTS_MAX);
    va_end(ap);
    err = (struct err){0};
    return config_load(reader, argc, argv, config, &err);
}

static void file_write(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_refused(const char *argument, const char *why)
{
    AUTO(config_destroy) struct config *config = NULL;
    assert_int_equal(load(FOR_WORKER, &config, argument, NULL), E_CONFIG);
    assert_null(config);
    if (!strstr(err.text, why))
        fail_msg("'%s' is not in '%s'", why, err.text);
}

static void assert_file_refused(const char *text, const char *why)
{
    AUTO(config_destroy) struct config *config = NULL;
    file_write(text);
    assert_int_equal(load(FOR_WORKER, &config, "--config", path, NULL), E_CONFIG);
    assert_null(config);
    if (!strstr(err.text, why))
        fail_msg("'%s' is not in '%s'", why, err.text);
}

static void without_arguments_the_defaults_hold(void **state)
{
    (void)state;
    AUTO(config_destroy) struct config *config = NULL;
    assert_int_equal(load(FOR_WORKER, &config, NULL), 0);
    assert_int_equal(config_int(config, CFG_SLOTS), 0);
    assert_int_equal(config_int(config, CFG_SOURCE_MAX_BYTES), INT64_C(2147483648));
    assert_string_equal(config_text(config, CFG_LANG), "vie");
    assert_string_equal(config_text(config, CFG_NAME), "");
    config_destroy(&config);
    assert_null(config);
    config_destroy(&config);
}

static void the_later_source_wins(void **state)
{
    (void)state;
    AUTO(config_destroy) struct config *config = NULL;
    file_write("# a comment\n\nslots = 4\nlang = vie+eng\nname = n1\nname = n2\n");
    assert_int_equal(load(FOR_WORKER, &config, "--slots=2", "--config", path, "--lang=eng", NULL), 0);
    assert_int_equal(config_int(config, CFG_SLOTS), 4);
    assert_string_equal(config_text(config, CFG_LANG), "eng");
    assert_string_equal(config_text(config, CFG_NAME), "n2");
}

static void wrong_arguments_are_named(void **state)
{
    (void)state;
    assert_refused("--slots=1025", "slots = '1025' is not a number from 0 to 1024");
    assert_refused("--slots=-1", "from 0 to 1024");
    assert_refused("--slots=", "slots = ''");
    assert_refused("--slots=4x", "slots = '4x'");
    assert_refused("--slots=99999999999999999999", "slots = '99999999999999999999'");
    assert_refused("--pdfa=3b", "pdfa = '3b' is not 2b or 1b");
    assert_refused("--slot=4", "no key 'slot'");
    assert_refused("--http=127.0.0.1:1", "no key 'http'");
    assert_refused("--slots", "'--slots' is not --key=value");
    assert_refused("slots=4", "'slots=4' is not --key=value");
    assert_refused("--config", "--config needs a file");
    assert_refused("--=4", "no key ''");
    char longest[400];
    memset(longest, 'k', sizeof longest);
    memcpy(longest, "--", 2);
    memcpy(longest + sizeof longest - 3, "=1", 3);
    assert_refused(longest, "is not --key=value");
}

static void wrong_files_are_named(void **state)
{
    (void)state;
    AUTO(config_destroy) struct config *config = NULL;
    assert_int_equal(load(FOR_WORKER, &config, "--config", "/nowhere/x.conf", NULL), E_CONFIG);
    assert_non_null(strstr(err.text, "/nowhere/x.conf: No such file"));
    assert_int_equal(load(FOR_WORKER, &config, "--config", "/tmp", NULL), E_CONFIG);
    assert_non_null(strstr(err.text, "/tmp"));
    assert_file_refused("slots = 4\nnonsense\n", "line 2 is not key = value");
    assert_file_refused("[worker]\nslots = 4\n", "section [worker]");
    assert_file_refused("slots = many\nslots = 4\n", "slots = 'many'");
    assert_file_refused("slotz = 4\n", "no key 'slotz'");
}

static void an_indented_line_is_a_line_of_its_own(void **state)
{
    (void)state;
    AUTO(config_destroy) struct config *config = NULL;
    file_write("lang = eng\n   slots = 4\n\t# name = no\n\n  name = n3");
    assert_int_equal(load(FOR_WORKER, &config, "--config", path, NULL), 0);
    assert_string_equal(config_text(config, CFG_LANG), "eng");
    assert_string_equal(config_text(config, CFG_NAME), "n3");
    assert_int_equal(config_int(config, CFG_SLOTS), 4);
}

static void a_line_that_is_too_long_is_named(void **state)
{
    (void)state;
    char name[501], text[600];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(text, sizeof text, "slots = 1\nname = %s\nslots = 2\n", name);
    assert_file_refused(text, "line 2 is longer than");
}

static void the_longest_line_is_taken_whole(void **state)
{
    (void)state;
    AUTO(config_destroy) struct config *config = NULL;
    char name[181], text[200];
    memset(name, 'x', 180);
    name[180] = '\0';
    snprintf(text, sizeof text, "name = %s\nslots=3", name);
    file_write(text);
    assert_int_equal(load(FOR_WORKER, &config, "--config", path, NULL), 0);
    assert_string_equal(config_text(config, CFG_NAME), name);
    assert_int_equal(config_int(config, CFG_SLOTS), 3);
}

/* The sample file with every line made active is what the defaults are. */
static void the_sample_loads_and_changes_nothing(void **state)
{
    (void)state;
    const enum config_reader readers[] = {FOR_COORDINATOR, FOR_WORKER};
    for (size_t i = 0; i < 2; i++) {
        AUTO(config_destroy) struct config *plain = NULL;
        AUTO(config_destroy) struct config *sampled = NULL;
        AUTO(mem_destroy) char *sample = NULL;
        size_t bytes;
        FILE *to = open_memstream(&sample, &bytes);
        config_sample(readers[i], to);
        fclose(to);
        for (char *c = sample; *c; c++)
            if (*c == '#' && c[1] != ' ')
                *c = ' ';
        file_write(sample);
        assert_int_equal(load(readers[i], &sampled, "--config", path, NULL), 0);
        assert_int_equal(load(readers[i], &plain, NULL), 0);
        enum config_key text = readers[i] == FOR_WORKER ? CFG_TESSDATA : CFG_HTTP;
        enum config_key number = readers[i] == FOR_WORKER ? CFG_PAGE_MAX_PIXELS : CFG_LEASE_PAGE_MS;
        assert_string_equal(config_text(plain, text), config_text(sampled, text));
        assert_int_equal(config_int(plain, number), config_int(sampled, number));
    }
}

static void keys_have_names_of_their_own(void **state)
{
    (void)state;
    for (enum config_key a = 0; a < CFG_KEYS; a++) {
        assert_non_null(config_key_name(a));
        for (enum config_key b = 0; b < a; b++)
            assert_string_not_equal(config_key_name(a), config_key_name(b));
    }
}

static bool shell(const char *command, const char *source)
{
    char line[PATH_MAX];
    assert_true(snprintf(line, sizeof line, "cd '%s' && %s", source, command) < (int)sizeof line);
    return system(line) == 0;
}

/* A key that no program asks for would be a promise that nobody keeps. */
static void every_key_has_a_reader(void **state)
{
    (void)state;
    const char *source = getenv("SOHOA_SOURCE");
    if (!source || !shell("grep -rqw config_load coordinator && grep -rqw config_load worker", source)) {
        print_message("skipped: SOHOA_SOURCE does not name a tree with both programs\n");
        skip();
    }
    for (enum config_key key = 0; key < CFG_KEYS; key++) {
        char command[160], name[64];
        snprintf(name, sizeof name, "%s", config_key_name(key));
        for (char *c = name; *c; c++)
            *c = *c == '_' ? '_' : (char)(*c - 'a' + 'A');
        snprintf(command, sizeof command,
                 "grep -rqw --include='*.c' --exclude=config.c CFG_%s coordinator worker proto", name);
        if (!shell(command, source))
            fail_msg("nobody reads %s", config_key_name(key));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_arguments_the_defaults_hold),
        cmocka_unit_test(the_later_source_wins),
        cmocka_unit_test(wrong_arguments_are_named),
        cmocka_unit_test(wrong_files_are_named),
        cmocka_unit_test(an_indented_line_is_a_line_of_its_own),
        cmocka_unit_test(a_line_that_is_too_long_is_named),
        cmocka_unit_test(the_longest_line_is_taken_whole),
        cmocka_unit_test(the_sample_loads_and_changes_nothing),
        cmocka_unit_test(keys_have_names_of_their_own),
        cmocka_unit_test(every_key_has_a_reader),
    };
    return cmocka_run_group_tests(tests, path_make, path_remove);
}
