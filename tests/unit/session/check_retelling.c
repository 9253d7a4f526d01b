#include "proxy/session/retelling.h"

#include <errno.h>

#include "tests/unit/unit.h"

#define NOW_S 1767323045 /* 2026-01-02T03:04:05Z */
#define OBJECT(more) \
	"{\"kind\":\"Foo\",\"apiVersion\":\"g/v1\",\"metadata\":{" more \
	"\"name\":\"n\",\"uid\":\"u\",\"resourceVersion\":\"7\"}}"
#define EVENT(type, more) "{\"type\":\"" type "\",\"object\":" OBJECT(more) "}\n"
#define STAMP "\"deletionTimestamp\":\"2026-01-02T03:04:05Z\","

static struct retelling retelling;
static struct buf out;

static void begin(enum release_manner manner)
{
	retelling_init(&retelling, manner, KUBE_JSON, 4096);
	retelling.allows_bookmarks = true;
	buf_init(&out, 1 << 16);
}

static void finish(void)
{
	retelling_finish(&retelling);
	buf_finish(&out);
}

/* Takes all, in chunks; who is asked about is hushed, or told. The last step. */
static int take(struct slice bytes, size_t chunk, bool is_gone)
{
	int rc = RETELLING_READS;

	while (bytes.len > 0 && rc >= 0) {
		struct slice some = bytes;
		size_t n;

		some.len = some.len < chunk ? some.len : chunk;
		rc = retelling_take(&retelling, some, &n, NOW_S, &out);
		if (rc < 0)
			break;
		bytes = slice_from(bytes, n);
		if (rc == RETELLING_ASKS)
			rc = is_gone ? retelling_tell(&retelling, &out)
				     : retelling_hush(&retelling, &out);
	}
	return rc;
}

static const char stream[] = EVENT("ADDED", "") EVENT("MODIFIED", "")
	EVENT("DELETED", "") EVENT("DELETED", "\"deletionTimestamp\":\"x\",") EVENT(
		"BOOKMARK", "") "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n";

START_TEST(each_manner_tells_a_stream_the_same_in_any_chunks)
{
	static const struct {
		enum release_manner manner;
		bool is_gone;
		const char *told;
	} rows[] = {
		{ RELEASE_DELETED, false, stream },
		{ RELEASE_MARKED, false,
		  EVENT("ADDED", "") EVENT("MODIFIED", "") EVENT("DELETED", STAMP)
			  EVENT("DELETED", "\"deletionTimestamp\":\"x\",")
				  EVENT("BOOKMARK", "") "{\"type\":\"ERROR\","
							"\"object\":{\"code\":410}}"
							"\n" },
		{ RELEASE_SUPPRESSED, true, stream },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t chunk = 1; chunk < sizeof(stream) + 1; chunk++) {
			begin(rows[i].manner);
			ck_assert_int_ge(take(slice_of(stream), chunk, rows[i].is_gone),
					 0);
			ck_assert_slice(buf_slice(&out), rows[i].told);
			ck_assert(retelling_is_idle(&retelling));
			finish();
		}
	}
}
END_TEST

#define HUSHED \
	"{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Foo\",\"apiVersion\":\"g/v1\"," \
	"\"metadata\":{\"resourceVersion\":\"7\",\"creationTimestamp\":null}}}\n"

START_TEST(what_is_not_told_leaves_its_position)
{
	begin(RELEASE_SUPPRESSED);
	ck_assert_int_ge(take(slice_of(EVENT("DELETED", "")), 100, false), 0);
	ck_assert_slice(buf_slice(&out), HUSHED);
	retelling.allows_bookmarks = false;
	ck_assert_int_ge(take(slice_of(EVENT("DELETED", "")), 100, false), 0);
	ck_assert_slice(buf_slice(&out), HUSHED);
	finish();
}
END_TEST

START_TEST(subject_of_what_is_asked_is_the_object)
{
	static const struct meta_keys none;
	struct arena *arena = arena_create();
	struct object_meta meta;
	struct err err;
	size_t n;

	begin(RELEASE_SUPPRESSED);
	ck_assert_int_eq(retelling_take(&retelling, slice_of(EVENT("DELETED", "")), &n,
					NOW_S, &out),
			 RETELLING_ASKS);
	ck_assert(!retelling_is_idle(&retelling));
	ck_assert_int_eq(retelling_subject(&retelling, arena, &none, &meta, &err), 0);
	ck_assert_slice(meta.uid, "u");
	ck_assert_slice(meta.name, "n");
	ck_assert_uint_eq(out.len, 0);
	finish();
	arena_destroy(arena);
}
END_TEST

START_TEST(what_is_no_event_is_an_error)
{
	begin(RELEASE_MARKED);
	ck_assert_int_eq(take(SLICE_LITERAL("{\"type\":\"NEW\"}\n"), 100, false),
			 -EINVAL);
	finish();
	begin(RELEASE_MARKED);
	ck_assert_int_eq(
		take(SLICE_LITERAL("{\"type\":\"DELETED\",\"object\":{}}\n"), 100, 0),
		-EINVAL);
	finish();
	/* Its kind would break the bookmark. */
	begin(RELEASE_SUPPRESSED);
	ck_assert_int_eq(
		take(SLICE_LITERAL(
			     "{\"type\":\"DELETED\",\"object\":{\"kind\":\"\\\"\","
			     "\"apiVersion\":\"v1\",\"metadata\":{"
			     "\"resourceVersion\":\"7\"}}}\n"),
		     200, false),
		-EINVAL);
	finish();
}
END_TEST

START_TEST(frame_that_is_too_long_is_an_error)
{
	char text[5000];

	memset(text, ' ', sizeof(text));
	begin(RELEASE_MARKED);
	ck_assert_int_eq(take(slice_make(text, sizeof(text)), 100, false), -EMSGSIZE);
	finish();
}
END_TEST

UNIT_MAIN("session/retelling", each_manner_tells_a_stream_the_same_in_any_chunks,
	  what_is_not_told_leaves_its_position, subject_of_what_is_asked_is_the_object,
	  what_is_no_event_is_an_error, frame_that_is_too_long_is_an_error)
