#include <errno.h>

#include <stdio.h>

#include "config/fields.h"
#include "config/tables.h"
#include "proxy/base/file.h"
#include "tests/unit/unit.h"

/* Tests run at the top of the repository. */
#define REFERENCE "config/REFERENCE.md"

static struct buf described(void)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	ck_assert_int_eq(config_describe(&out), 0);
	return out;
}

START_TEST(the_reference_manual_is_what_the_tables_say)
{
	struct arena *arena = arena_create();
	struct buf out = described();
	struct slice committed;
	struct err err;

	ck_assert_msg(file_read(&committed, arena, REFERENCE, 1 << 20, &err) == 0, "%s",
		      err.text);
	ck_assert_msg(slice_eq(buf_slice(&out), committed),
		      "out of date: build/release/ringside describe >" REFERENCE);
	buf_finish(&out);
	arena_destroy(arena);
}
END_TEST

static void check_has(const struct buf *out, const char *name)
{
	char heading[100];

	snprintf(heading, sizeof(heading), "\n### `%s`\n", name);
	ck_assert_msg(memmem(out->data, out->len, heading, strlen(heading)), "%s",
		      name);
}

START_TEST(config_describe_has_every_key)
{
	struct buf out = described();
	const struct opt *row;

	for (size_t i = 0; i < ring_fields_n; i++)
		check_has(&out, ring_fields[i].name);
	for (size_t i = 0; i < resource_fields_n; i++)
		check_has(&out, resource_fields[i].name);
	for (size_t i = 0; (row = tables_option(i, NULL)); i++)
		check_has(&out, row->name);
	buf_finish(&out);
}
END_TEST

START_TEST(config_describe_writes_all_or_nothing)
{
	struct buf whole = described(), out;

	buf_init(&out, whole.len + 1);
	buf_append_text(&out, "ab");
	ck_assert_int_eq(config_describe(&out), -EMSGSIZE);
	ck_assert_slice(buf_slice(&out), "ab");
	buf_finish(&out);
	buf_finish(&whole);
}
END_TEST

UNIT_MAIN("config/describe", the_reference_manual_is_what_the_tables_say,
	  config_describe_has_every_key, config_describe_writes_all_or_nothing)
