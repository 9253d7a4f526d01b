/*
 * What a client that watches in protobuf is told whose view has changed: the same as
 * one that watches in JSON (check_move.c), and no byte of what is kept is another.
 */
#include <stdio.h>

#include "proxy/kube/event.h"
#include "proxy/kube/frame.h"
#include "proxy/kube/pb.h"
#include "tests/unit/session/move_stage.h"

#define PROTOBUF "application/vnd.kubernetes.protobuf"
#define BYTES_MAX 4096

/* --- messages --- */

static void put(struct buf *out, uint32_t number, struct slice bytes)
{
	ck_assert_int_eq(pb_write_bytes(out, number, bytes), 0);
}

static void put_text(struct buf *out, uint32_t number, const char *text)
{
	put(out, number, slice_of(text));
}

/* A field of its own of the message that was written in `inner`, which is emptied. */
static void put_message(struct buf *out, uint32_t number, struct buf *inner)
{
	put(out, number, buf_slice(inner));
	buf_clear(inner);
}

struct thing {
	const char *name; /* NULL: of a BOOKMARK */
	const char *version;
	const char *bucket;
};

/* apps.v1.Deployment, as far as the API server would have to say it. */
static void put_object(struct buf *out, uint32_t number, const struct thing *thing)
{
	struct buf entry, meta, object;

	buf_init(&entry, BYTES_MAX);
	buf_init(&meta, BYTES_MAX);
	buf_init(&object, BYTES_MAX);
	put_text(&meta, 1, thing->name != NULL ? thing->name : "");
	if (thing->name != NULL)
		put_text(&meta, 3, "n");
	put_text(&meta, 6, thing->version);
	if (thing->bucket != NULL) {
		put_text(&entry, 1, "bucket.ringside.dev/r");
		put_text(&entry, 2, thing->bucket);
		put_message(&meta, 11, &entry);
	}
	put_message(&object, 1, &meta);
	put_text(&object, 2, "spec");
	put_message(out, number, &object);
	buf_finish(&entry);
	buf_finish(&meta);
	buf_finish(&object);
}

/* What number 1 of a message holds. */
static struct slice first_field(const struct buf *message)
{
	struct pb_reader reader = { buf_slice(message), false };
	struct pb_field field;

	ck_assert(pb_next(&reader, &field));
	return field.bytes;
}

static struct slice keep(struct buf *bytes)
{
	struct slice copy = arena_copy(stage->world.arena, buf_slice(bytes));

	buf_finish(bytes);
	return copy;
}

static struct slice list_of(const char *version, const char *more,
			    const struct thing *things, size_t n)
{
	struct buf meta, list, out;

	buf_init(&meta, BYTES_MAX);
	buf_init(&list, BYTES_MAX);
	buf_init(&out, BYTES_MAX);
	put_text(&meta, 2, version);
	put_text(&meta, 3, more);
	put_message(&list, 1, &meta);
	for (size_t i = 0; i < n; i++)
		put_object(&list, 2, &things[i]);
	ck_assert_int_eq(pb_write_envelope(&out, "g/v1", "FooList", buf_slice(&list)),
			 0);
	buf_finish(&meta);
	buf_finish(&list);
	return keep(&out);
}

/* A frame of a watch. */
static struct slice event_of(const char *type, const struct thing *thing)
{
	struct buf object, envelope, event, out;
	char length[4];

	buf_init(&object, BYTES_MAX);
	buf_init(&envelope, BYTES_MAX);
	buf_init(&event, BYTES_MAX);
	buf_init(&out, BYTES_MAX);
	put_object(&object, 1, thing);
	ck_assert_int_eq(
		pb_write_envelope(&envelope, "g/v1", "Foo", first_field(&object)), 0);
	buf_clear(&object);
	put_message(&object, 1, &envelope); /* runtime.RawExtension */
	put_text(&event, 1, type);
	put_message(&event, 2, &object);
	for (int i = 0; i < 4; i++)
		length[i] = (char)(event.len >> 8 * (3 - i));
	ck_assert_int_eq(buf_append(&out, slice_make(length, 4)), 0);
	ck_assert_int_eq(buf_append(&out, buf_slice(&event)), 0);
	buf_finish(&object);
	buf_finish(&envelope);
	buf_finish(&event);
	return keep(&out);
}

static struct slice joined(struct slice a, struct slice b)
{
	struct buf out;

	buf_init(&out, BYTES_MAX);
	ck_assert_int_eq(buf_append(&out, a), 0);
	ck_assert_int_eq(buf_append(&out, b), 0);
	return keep(&out);
}

/* --- a move that comes to its end --- */

static const struct thing a = { "a", "50", "1" }, b = { "b", "60", "1" },
			  x = { "x", "70", "2" }, y = { "y", "99", "2" },
			  stale_x = { "x", "92", "2" }, later_x = { "x", "110", "2" },
			  kept = { "k", "95", "3" }, mark = { NULL, "104", NULL };

static struct answer answers[6];

/* Of check_move.c's all_well, in protobuf. */
static void begin_protobuf(void)
{
	const struct thing came[] = { x, y };
	struct slice watch;

	begin(answers);
	stage->accept.value = SLICE_LITERAL(PROTOBUF);
	stage->content_type = "Content-Type: " PROTOBUF;
	watch = joined(event_of("MODIFIED", &stale_x), event_of("MODIFIED", &kept));
	watch = joined(watch, event_of("MODIFIED", &y));
	watch = joined(watch, event_of("BOOKMARK", &mark));
	answers[0] =
		(struct answer){ LEFT AT_R, 200, .bytes = list_of("90", "t", &a, 1) };
	answers[1] = (struct answer){ NEXT, 200, .bytes = list_of("90", "", &b, 1) };
	answers[2] =
		(struct answer){ CAME AT_F, 200, .bytes = list_of("100", "", came, 2) };
	answers[3] = (struct answer){
		WATCH_FROM("90&timeoutSeconds=4&allowWatchBookmarks=true"), 200,
		.bytes = watch
	};
	answers[4] = (struct answer){ WATCH_FROM("104"), 200,
				      .bytes = event_of("MODIFIED", &later_x) };
}

/* The frames of what was told; how many bytes of whole ones there are. */
static size_t read_told(char *out, uint64_t *position)
{
	static const char *const types[] = { [WATCH_ADDED] = "ADDED",
					     [WATCH_MODIFIED] = "MODIFIED",
					     [WATCH_DELETED] = "DELETED",
					     [WATCH_BOOKMARK] = "BOOKMARK",
					     [WATCH_ERROR] = "ERROR" };
	struct slice rest = buf_slice(&stage->got);
	struct frame_scanner scanner;
	struct event_head head;
	struct err err;
	size_t n, whole = 0;

	*position = R;
	out[0] = '\0';
	frame_init(&scanner, KUBE_PROTOBUF);
	while (rest.len > 0 && frame_scan(&scanner, rest, &n, &err) == 1) {
		ck_assert_msg(event_read(&head, KUBE_PROTOBUF, slice_make(rest.data, n),
					 SLICE_LITERAL("x"), &err) == 0,
			      "%s", err.text);
		out += sprintf(out, "%s %s %llu\n", types[head.type], head.object,
			       (unsigned long long)head.version);
		*position = head.version;
		rest = slice_from(rest, n);
		whole += n;
	}
	return whole;
}

START_TEST(client_of_protobuf_is_told_what_left_what_came_and_what_it_has_missed)
{
	char told[BYTES_MAX];
	struct slice kept_frame, later_frame, got;
	uint64_t position;

	begin_protobuf();
	run();
	ck_assert(stage->is_over && stage->result == UPSTREAM_COMPLETE);
	ck_assert_uint_eq(read_told(told, &position), stage->got.len);
	ck_assert_str_eq(told, "DELETED n/a 90\nDELETED n/b 90\n"
			       "ADDED n/x 70\nADDED n/y 99\nBOOKMARK / 90\n"
			       "MODIFIED n/k 95\nBOOKMARK / 104\n"
			       "MODIFIED n/x 110\n");
	/* What is kept, and what comes after, is as it came. */
	kept_frame = event_of("MODIFIED", &kept);
	later_frame =
		joined(event_of("BOOKMARK", &mark), event_of("MODIFIED", &later_x));
	got = buf_slice(&stage->got);
	got = slice_from(got, got.len - kept_frame.len - later_frame.len);
	ck_assert(slice_eq(got, joined(kept_frame, later_frame)));
	ck_assert_int_eq(stage->values[MOVES_RELEASED], 2);
	ck_assert_int_eq(stage->values[MOVES_ACQUIRED], 2);
	ck_assert_int_eq(stage->values[MOVES_DROPPED], 2);
	ck_assert_int_eq(stage->values[MOVES_SETTLED], 1);
	finish();
}
END_TEST

static size_t told_whole(struct buf *out)
{
	begin_protobuf();
	run();
	ck_assert_int_eq(buf_append(out, buf_slice(&stage->got)), 0);
	finish();
	return out->len;
}

START_TEST(coherent_view_whatever_the_pieces_the_bytes_of_protobuf_are_the_same)
{
	static const size_t reads[] = { 1, 2, 3, 7, 64, 4095 };
	struct buf whole;

	buf_init(&whole, BYTES_MAX);
	told_whole(&whole);
	for (size_t piece = 1; piece < 400; piece += piece < 20 ? 1 : 37) {
		begin_protobuf();
		stage->piece = piece;
		stage->reads = reads[piece % 6];
		run();
		ck_assert(slice_eq(buf_slice(&stage->got), buf_slice(&whole)));
		finish();
	}
	buf_finish(&whole);
}
END_TEST

START_TEST(coherent_view_at_every_byte_a_client_of_protobuf_is_known_or_doubted)
{
	struct view former = { .floor = 80 }, current = { .floor = F };
	struct past past = { 0 };
	struct buf whole;
	size_t n_max;

	buf_init(&whole, BYTES_MAX);
	n_max = told_whole(&whole);
	bucket_set_add(&former.set, 1);
	bucket_set_add(&current.set, 2);
	past_add(&past, &former, &current);
	for (size_t n = 0; n <= n_max; n++) {
		const struct view *view;
		enum view_standing standing;
		char told[BYTES_MAX];
		uint64_t position;

		begin_protobuf();
		stage->reads_n = n;
		run();
		ck_assert(slice_eq(buf_slice(&stage->got), slice_make(whole.data, n)));
		read_told(told, &position);
		standing = past_judge(&past, &current, &stage->doubt, position, &view);
		if (position >= F && strstr(told, "BOOKMARK / 104") != NULL)
			ck_assert_int_eq(standing, VIEW_STANDS_HERE);
		else if (position == R)
			ck_assert_int_eq(standing, VIEW_STANDS_FORMER);
		else
			ck_assert_int_eq(standing, VIEW_STANDS_DOUBTED);
		finish();
	}
	buf_finish(&whole);
}
END_TEST

UNIT_MAIN("session/move_protobuf",
	  client_of_protobuf_is_told_what_left_what_came_and_what_it_has_missed,
	  coherent_view_whatever_the_pieces_the_bytes_of_protobuf_are_the_same,
	  coherent_view_at_every_byte_a_client_of_protobuf_is_known_or_doubted)
