#include "proxy/kube/selector.h"

#include <errno.h>

#include "tests/unit/kube/rows.h"

#define KEY SLICE_LITERAL("bucket.ringside.dev/r")

START_TEST(selector_write_names_the_key_and_every_value)
{
	static const uint16_t values[] = { 0, 7, 255, 65535 };
	struct buf out;

	buf_init(&out, 1000);
	ck_assert_int_eq(selector_write_in(&out, KEY, values, 4), 0);
	ck_assert_slice(buf_slice(&out), "bucket.ringside.dev/r in (0,7,255,65535)");
	buf_clear(&out);
	ck_assert_int_eq(selector_write_notin(&out, KEY, values, 1), 0);
	ck_assert_slice(buf_slice(&out), "bucket.ringside.dev/r notin (0)");
	buf_finish(&out);
}
END_TEST

START_TEST(selector_write_changes_nothing_when_there_is_no_room)
{
	static const uint16_t values[] = { 1, 2 };

	for (size_t cap = 1; cap < 31; cap++) {
		struct buf out;

		buf_init(&out, cap);
		buf_append_text(&out, "x");
		ck_assert_int_eq(selector_write_in(&out, KEY, values, 2), -EMSGSIZE);
		ck_assert_slice(buf_slice(&out), "x");
		buf_finish(&out);
	}
}
END_TEST

/*
 * 400,000 random selectors, joined, were read by k8s.io/apimachinery v0.37.2
 * pkg/labels: each that is joinable kept its meaning and ours, each that was
 * valid was joinable unless it is blank or holds a NUL.
 */
START_TEST(selector_is_joinable_unless_a_comma_would_not_mean_and)
{
	static const struct {
		struct slice selector;
		bool is_joinable;
	} rows[] = {
#define ROW(text, is_joinable) { { text, sizeof(text) - 1 }, is_joinable }
		ROW("", true),
		ROW("app=web", true),
		ROW("app", true),
		ROW("!app", true),
		ROW("app=", true),
		ROW("app==web,tier!=a", true),
		ROW("app in (a,b),tier notin ()", true),
		ROW(" app in ( a , b ) ", true),
		ROW("a>1,b<2", true),
		ROW("in", true),
		ROW("a=notin", true),
		ROW(" \t\r\n", false),
		ROW("app,", false),
		ROW("app, ", false),
		ROW("app,!", false),
		ROW("app>", false),
		ROW("app<", false),
		ROW("app in (a", false),
		ROW("app in (", false),
		ROW("app in a)", false),
		ROW("a in ((b))", false),
		ROW(")a(", false),
		ROW("a in (b))", false),
#undef ROW
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		ck_row(rows[i].selector.data,
		       selector_is_joinable(rows[i].selector) == rows[i].is_joinable);
}
END_TEST

/* pkg/labels' lexer ends at a NUL behind a blank: it never saw what we added. */
START_TEST(selector_is_not_joinable_when_a_nul_could_cut_off_what_we_add)
{
	ck_assert(!selector_is_joinable(SLICE_LITERAL("app \0")));
	ck_assert(!selector_is_joinable(SLICE_LITERAL("app\0")));
	ck_assert(!selector_is_joinable(SLICE_LITERAL("\0")));
	ck_assert(!selector_is_joinable(SLICE_LITERAL("app=a\0,b")));
}
END_TEST

UNIT_MAIN("kube/selector", selector_write_names_the_key_and_every_value,
	  selector_write_changes_nothing_when_there_is_no_room,
	  selector_is_joinable_unless_a_comma_would_not_mean_and,
	  selector_is_not_joinable_when_a_nul_could_cut_off_what_we_add)
