/*
 * Bodies of all stable built-in types, as client-go encodes them, and what the
 * label makes of them: tests/e2e/types writes the file and checks that the API's
 * own decoder reads the same objects from it, with one more label.
 */
#include <stdio.h>

#include "proxy/kube/label_body.h"
#include "tests/unit/unit.h"

#define FILE_NAME "tests/unit/kube/protobuf_bodies.txt"
#define FILE_BYTES_MAX (1 << 20)

static struct slice read_file(struct arena *arena)
{
	FILE *file = fopen(FILE_NAME, "rb");
	char *text = arena_alloc(arena, FILE_BYTES_MAX);
	size_t len;

	ck_assert_msg(file, "run from the repository's root: %s", FILE_NAME);
	len = fread(text, 1, FILE_BYTES_MAX, file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_uint_lt(len, FILE_BYTES_MAX);
	return slice_make(text, len);
}

static int digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static struct slice decode(struct arena *arena, struct slice hex)
{
	char *bytes = arena_alloc(arena, hex.len / 2 + 1);

	for (size_t i = 0; i < hex.len / 2; i++)
		bytes[i] = (char)(digit(hex.data[2 * i]) * 16 +
				  digit(hex.data[2 * i + 1]));
	return slice_make(bytes, hex.len / 2);
}

START_TEST(label_of_every_stable_type_is_set_as_its_decoder_expects)
{
	struct arena *arena = arena_create();
	struct slice file = read_file(arena), line;
	size_t types = 0;

	for (; slice_split(&file, '\n', &line); types++) {
		struct slice kind = { 0 }, body = { 0 }, out;
		struct label_edit edit = { .encoding = KUBE_PROTOBUF,
					   .key = SLICE_LITERAL(
						   "bucket.ringside.dev/r"),
					   .value = SLICE_LITERAL("17") };
		struct err err;

		ck_assert(slice_split(&line, ' ', &kind));
		ck_assert(slice_split(&line, ' ', &body));
		edit.body = decode(arena, body);
		ck_assert_int_eq(label_body_edit(&out, arena, &edit, &err), 0);
		ck_assert_msg(slice_eq(out, decode(arena, line)), "%.*s",
			      SLICE_ARGS(kind));
	}
	ck_assert_uint_gt(types, 60);
	arena_destroy(arena);
}
END_TEST

UNIT_MAIN("kube/label_types", label_of_every_stable_type_is_set_as_its_decoder_expects)
