#include "proxy/kube/query.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/kube/rows.h"

START_TEST(query_get_reads_pairs_as_go_does)
{
	static const struct {
		const char *text;
		const char *key;
		const char *value; /* NULL: not there */
		bool is_certain;
	} rows[] = {
		{ "", "a", NULL, true },
		{ "a=1", "a", "1", true },
		{ "a=1&b=2", "b", "2", true },
		{ "a=1&a=2", "a", "1", true },
		{ "a", "a", "", true },
		{ "a=", "a", "", true },
		{ "=a", "a", NULL, true },
		{ "=a", "", "a", true },
		{ "a=b=c", "a", "b=c", true },
		{ "&&a=1&", "a", "1", true },
		{ "a=x+y%20z%2b", "a", "x y z+", true },
		{ "%77atch=1", "watch", "1", true },
		{ "wat+ch=1", "wat ch", "1", true },
		{ "A=1", "a", NULL, true },
		{ "a=%00%ff", "a", NULL, true },
		{ "a=%zz", "a", NULL, false },
		{ "a=%4", "a", NULL, false },
		{ "a=%", "a", NULL, false },
		{ "a=1;b=2", "a", NULL, false },
		{ "a=1;b=2", "b", NULL, false },
		{ "a=%zz&a=2", "a", "2", false },
		{ "%zz=1&a=2", "a", "2", false },
		{ "a=1&%", "a", "1", false },
		{ "a=1%3B2", "a", "1;2", true },
		{ "a=?b=2", "a", "?b=2", true },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct query *query = query_parse(arena, slice_of(rows[i].text));
		struct slice value = SLICE_LITERAL("unchanged");
		bool is_there = query_get(query, rows[i].key, &value);

		ck_row(rows[i].text, query_is_certain(query) == rows[i].is_certain);
		if (strstr(rows[i].text, "%00"))
			ck_assert(is_there && slice_eq(value, SLICE_LITERAL("\0\xff")));
		else if (rows[i].value)
			ck_row(rows[i].text, is_there);
		else
			ck_row(rows[i].text, !is_there);
		if (rows[i].value || !is_there)
			ck_row_slice(rows[i].text, value,
				     rows[i].value ? rows[i].value : "unchanged");
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(query_parse_is_uncertain_about_more_pairs_than_go_reads)
{
	for (size_t n = 9999; n <= 10001; n++) {
		struct arena *arena = arena_create();
		struct buf text;

		buf_init(&text, 1 << 20);
		for (size_t i = 1; i < n; i++)
			buf_append_text(&text, "&");
		buf_append_text(&text, "a=1");

		struct query *query = query_parse(arena, buf_slice(&text));
		struct slice value;

		ck_assert(query_get(query, "a", &value));
		ck_assert(query_is_certain(query) == (n <= 10000));
		buf_finish(&text);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(query_get_bool_is_true_unless_the_first_value_says_no)
{
	static const struct {
		const char *text;
		bool is_true;
	} rows[] = {
		{ "", false },
		{ "watch", true },
		{ "watch=", true },
		{ "watch=1", true },
		{ "watch=true", true },
		{ "watch=no", true },
		{ "watch=00", true },
		{ "watch=0", false },
		{ "watch=false", false },
		{ "watch=FaLSe", false },
		{ "watch=%66alse", false },
		{ "watch=fal%C5%BFe", false },
		{ "watch=0&watch=1", false },
		{ "watch=1&watch=0", true },
		{ "Watch=1", false },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct query *query = query_parse(arena, slice_of(rows[i].text));

		ck_row(rows[i].text, query_get_bool(query, "watch") == rows[i].is_true);
		arena_destroy(arena);
	}
}
END_TEST

static void check_written(const char *row, const struct query *query, const char *text)
{
	struct buf out;

	buf_init(&out, 1000);
	ck_row(row, query_write(query, &out) == 0);
	ck_row_slice(row, buf_slice(&out), text);
	buf_finish(&out);
}

START_TEST(query_write_keeps_the_bytes_of_what_was_not_touched)
{
	static const char *const rows[] = {
		"", "a", "a=", "&", "a=1&", "&&a=%7e+%zz;&b;c", "b=2&a=1&b=2",
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();

		check_written(rows[i], query_parse(arena, slice_of(rows[i])), rows[i]);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(query_set_replaces_all_pairs_of_the_key_at_the_place_of_the_first)
{
	static const struct {
		const char *text;
		const char *written;
	} rows[] = {
		{ "", "k=x%20%2C%28%C3%A9%29" },
		{ "a=1", "a=1&k=x%20%2C%28%C3%A9%29" },
		{ "k=1&b=%7e", "k=x%20%2C%28%C3%A9%29&b=%7e" },
		{ "a=1&k=2&b=3&k=4&%6b", "a=1&k=x%20%2C%28%C3%A9%29&b=3" },
		{ "k=%zz&K=1", "k=%zz&K=1&k=x%20%2C%28%C3%A9%29" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct query *query = query_parse(arena, slice_of(rows[i].text));
		struct slice value;

		query_set(query, "k", SLICE_LITERAL("x ,(\xc3\xa9)"));
		check_written(rows[i].text, query, rows[i].written);
		ck_row(rows[i].text, query_get(query, "k", &value));
		ck_row_slice(rows[i].text, value, "x ,(\xc3\xa9)");
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(query_set_twice_leaves_the_last_value)
{
	struct arena *arena = arena_create();
	struct query *query = query_parse(arena, SLICE_LITERAL("a=1&b=2"));

	query_set(query, "a", SLICE_LITERAL("3"));
	query_set(query, "a", SLICE_LITERAL(""));
	check_written("a", query, "a=&b=2");
	arena_destroy(arena);
}
END_TEST

START_TEST(query_remove_removes_all_pairs_of_the_key_and_no_other)
{
	static const struct {
		const char *text;
		const char *written;
	} rows[] = {
		{ "", "" },
		{ "k", "" },
		{ "a=1", "a=1" },
		{ "k=1&a=2&k&%6B=3&kk=4&k=%", "a=2&kk=4&k=%" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct query *query = query_parse(arena, slice_of(rows[i].text));
		struct slice value;

		query_remove(query, "k");
		check_written(rows[i].text, query, rows[i].written);
		ck_row(rows[i].text, !query_get(query, "k", &value));
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(query_escape_writes_every_byte_so_that_it_is_read_back)
{
	struct arena *arena = arena_create();
	char bytes[256];
	struct slice value;
	struct buf out;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	buf_init(&out, 1000);
	buf_append_text(&out, "k=");
	ck_assert_int_eq(query_escape(&out, slice_make(bytes, sizeof(bytes))), 0);

	struct query *query = query_parse(arena, buf_slice(&out));

	ck_assert(query_is_certain(query));
	ck_assert(query_get(query, "k", &value));
	ck_assert(slice_eq(value, slice_make(bytes, sizeof(bytes))));
	buf_finish(&out);
	arena_destroy(arena);
}
END_TEST

START_TEST(query_escape_leaves_unreserved_characters_and_no_others)
{
	struct buf out;

	buf_init(&out, 1000);
	ck_assert_int_eq(query_escape(&out, SLICE_LITERAL("azAZ09-_.~")), 0);
	ck_assert_slice(buf_slice(&out), "azAZ09-_.~");
	buf_clear(&out);
	ck_assert_int_eq(query_escape(&out, SLICE_LITERAL("`{@[/: +&=;%#,")), 0);
	ck_assert_slice(buf_slice(&out), "%60%7B%40%5B%2F%3A%20%2B%26%3D%3B%25%23%2C");
	buf_finish(&out);
}
END_TEST

START_TEST(query_write_and_escape_change_nothing_when_there_is_no_room)
{
	struct arena *arena = arena_create();
	struct query *query = query_parse(arena, SLICE_LITERAL("a=1&b=2"));

	for (size_t cap = 1; cap < 8; cap++) {
		struct buf out;

		buf_init(&out, cap);
		buf_append_text(&out, "?");
		ck_assert_int_eq(query_write(query, &out), -EMSGSIZE);
		ck_assert_int_eq(query_escape(&out, SLICE_LITERAL("aaaaa ")),
				 -EMSGSIZE);
		ck_assert_slice(buf_slice(&out), "?");
		buf_finish(&out);
	}
	arena_destroy(arena);
}
END_TEST

UNIT_MAIN("kube/query", query_get_reads_pairs_as_go_does,
	  query_parse_is_uncertain_about_more_pairs_than_go_reads,
	  query_get_bool_is_true_unless_the_first_value_says_no,
	  query_write_keeps_the_bytes_of_what_was_not_touched,
	  query_set_replaces_all_pairs_of_the_key_at_the_place_of_the_first,
	  query_set_twice_leaves_the_last_value,
	  query_remove_removes_all_pairs_of_the_key_and_no_other,
	  query_escape_writes_every_byte_so_that_it_is_read_back,
	  query_escape_leaves_unreserved_characters_and_no_others,
	  query_write_and_escape_change_nothing_when_there_is_no_room)
