#include "config/base64.h"

#include <errno.h>

#include "tests/unit/unit.h"

static const struct {
	const char *bytes, *text;
} pairs[] = {
	/* RFC 4648, section 10 */
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xbe", "+/++" },
};

START_TEST(base64_is_written_as_the_rfc_says)
{
	struct arena *arena = arena_create();

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		ck_assert_str_eq(base64_encode(arena, slice_of(pairs[i].bytes)),
				 pairs[i].text);
	arena_destroy(arena);
}
END_TEST

START_TEST(base64_is_read_as_the_rfc_says)
{
	struct arena *arena = arena_create();
	struct slice bytes;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		ck_assert_int_eq(base64_decode(&bytes, arena, slice_of(pairs[i].text)),
				 0);
		ck_assert_slice(bytes, pairs[i].bytes);
		ck_assert_int_eq(bytes.data[bytes.len], '\0');
	}
	arena_destroy(arena);
}
END_TEST

START_TEST(base64_of_any_bytes_comes_back)
{
	struct arena *arena = arena_create();
	char bytes[256];
	struct slice back;

	for (int i = 0; i < 256; i++)
		bytes[i] = (char)(255 - i);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		const char *text = base64_encode(arena, slice_make(bytes, len));

		ck_assert_int_eq(base64_decode(&back, arena, slice_of(text)), 0);
		ck_assert(slice_eq(back, slice_make(bytes, len)));
	}
	arena_destroy(arena);
}
END_TEST

START_TEST(base64_may_be_broken_into_lines)
{
	struct arena *arena = arena_create();
	struct slice bytes;

	ck_assert_int_eq(base64_decode(&bytes, arena, slice_of("\nZm9\r\nvYg=\n=\n")),
			 0);
	ck_assert_slice(bytes, "foob");
	arena_destroy(arena);
}
END_TEST

START_TEST(base64_that_is_not_exact_is_refused)
{
	static const char *const texts[] = {
		"Z",    "Zg",    "Zg=",        "Zm8",      "Zg===",
		"=",    "====",  "Z===",       "Zg==Zg==", "Zm9vZg==Zm9v",
		"Zg=a", "Zm9v!", "Zm 9v",      "Zm-_",     "Zh==" /* bits left over */,
		"Zm9=", "Zm9v=", "\xc3\xa9==",
	};
	struct arena *arena = arena_create();
	struct slice bytes = { NULL, 7 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ck_assert_msg(base64_decode(&bytes, arena, slice_of(texts[i])) ==
				      -EINVAL,
			      "%s", texts[i]);
	ck_assert_int_eq(base64_decode(&bytes, arena, slice_make("Zg=\0", 4)), -EINVAL);
	ck_assert_uint_eq(bytes.len, 7);
	arena_destroy(arena);
}
END_TEST

UNIT_MAIN("config/base64", base64_is_written_as_the_rfc_says,
	  base64_is_read_as_the_rfc_says, base64_of_any_bytes_comes_back,
	  base64_may_be_broken_into_lines, base64_that_is_not_exact_is_refused)
