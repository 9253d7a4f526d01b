#include "proxy/kube/encoding.h"
#include "proxy/kube/event.h"
#include "proxy/kube/list_reader.h"
#include "tests/fuzz/fuzz.h"

#define OUT_BYTES_MAX (1u << 20)

/* An item that makes an event makes one whole frame. */
static void make_event(enum kube_encoding encoding, struct slice object)
{
	const struct event_item item = { .type = WATCH_DELETED,
					 .object = object,
					 .kind = "Foo",
					 .api_version = "g/v1",
					 .version = "12" };
	struct event_head head;
	struct err err;
	struct buf out;

	buf_init(&out, OUT_BYTES_MAX);
	if (event_write_item(&out, encoding, &item) == 0)
		(void)event_read(&head, encoding, buf_slice(&out), SLICE_LITERAL("l"),
				 &err);
	else
		FUZZ_ASSERT(out.len == 0);
	buf_finish(&out);
}

/* A number for the items and the head of the list. */
static uint64_t items_of(enum kube_encoding encoding, struct slice input, size_t chunk)
{
	struct list_reader reader;
	uint64_t sum = 0;
	size_t at = 0, consumed;
	struct err err;
	int rc = 0;

	list_reader_init(&reader, encoding);
	while (at < input.len && rc >= 0) {
		struct slice rest = slice_from(input, at);

		rest.len = rest.len < chunk ? rest.len : chunk;
		rc = list_reader_next(&reader, rest, &consumed, &err);
		if (rc < 0)
			break;
		FUZZ_ASSERT(consumed > 0 && consumed <= rest.len);
		at += consumed;
		if (rc == 0)
			continue;
		sum = sum * 31 + list_reader_item(&reader).len + 1;
		if (chunk > input.len)
			make_event(encoding, list_reader_item(&reader));
	}
	sum = sum * 31 + strlen(reader.kind) + strlen(reader.version) + reader.next.len;
	sum = sum * 31 + (rc < 0) * 2 + (rc >= 0 && list_reader_is_complete(&reader));
	list_reader_finish(&reader);
	return sum;
}

/* However the list is cut, the items are the same. */
void fuzz_one(struct arena *arena, struct slice input)
{
	static const enum kube_encoding encodings[] = { KUBE_JSON, KUBE_PROTOBUF };
	enum kube_encoding encoding = encodings[fuzz_choice(&input, 2)];
	uint64_t whole = items_of(encoding, input, input.len + 1);
	struct event_head head;
	struct err err;

	(void)arena;
	for (size_t chunk = 1; chunk < 8; chunk++)
		FUZZ_ASSERT(items_of(encoding, input, chunk) == whole);
	(void)event_read(&head, encoding, input, SLICE_LITERAL("l"), &err);
}
