#include "proxy/base/base64url.h"
#include "tests/unit/unit.h"

START_TEST(base64url_reads_both_alphabets_without_padding)
{
	static const struct {
		const char *text;
		const char *bytes;
	} rows[] = {
		{ "", "" },
		{ "Zg", "f" },
		{ "Zm8", "fo" },
		{ "Zm9v", "foo" },
		{ "Zm9vYg", "foob" },
		{ "--__", "\xfb\xef\xff" },
		{ "Zm9vYmFy", "foobar" },
		{ "++//", "\xfb\xef\xff" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[BASE64URL_BYTES(8)];
		size_t n;

		ck_assert_msg(base64url_decode(slice_of(rows[i].text), out, &n), "%s",
			      rows[i].text);
		ck_assert_slice(slice_make(out, n), rows[i].bytes);
	}
}
END_TEST

START_TEST(base64url_refuses_other_digits_and_a_lone_one)
{
	static const char *const texts[] = { "Z", "Zm9vY", "Zg==", "Zm 9", "Zm9\n" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char out[BASE64URL_BYTES(8)];
		size_t n;

		ck_assert_msg(!base64url_decode(slice_of(texts[i]), out, &n), "%s",
			      texts[i]);
	}
}
END_TEST

UNIT_MAIN("base/base64url", base64url_reads_both_alphabets_without_padding,
	  base64url_refuses_other_digits_and_a_lone_one)
