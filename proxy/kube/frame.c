#include "proxy/kube/frame.h"

#include <errno.h>

#define PROTOBUF_HEAD_BYTES 4
#define PROTOBUF_FRAME_MAX (256u << 20)

/* Of one CBOR string, array or map: the API server's objects are far smaller. */
#define CBOR_LENGTH_MAX (64u << 20)

/* A CBOR container that has no length but ends with a break. */
#define UNTIL_BREAK UINT64_MAX

enum cbor_major {
	CBOR_UNSIGNED,
	CBOR_NEGATIVE,
	CBOR_BYTES,
	CBOR_TEXT,
	CBOR_ARRAY,
	CBOR_MAP,
	CBOR_TAG,
	CBOR_SIMPLE,
};

enum cbor_info {
	CBOR_INFO_1_BYTE = 24,
	CBOR_INFO_8_BYTES = 27,
	CBOR_INFO_INDEFINITE = 31
};

void frame_init(struct frame_scanner *scanner, enum kube_encoding encoding)
{
	*scanner = (struct frame_scanner){ .encoding = encoding };
}

bool frame_is_at_boundary(const struct frame_scanner *scanner)
{
	return !scanner->is_inside;
}

/* Of what remains of the frame, as much as there is. */
static size_t skip(struct frame_scanner *scanner, size_t available)
{
	size_t n = available < scanner->remaining ? available : scanner->remaining;

	scanner->remaining -= n;
	return n;
}

static int scan_json(struct slice bytes, size_t *at)
{
	ptrdiff_t newline = slice_find(bytes, '\n');

	*at = newline < 0 ? bytes.len : (size_t)newline + 1;
	return newline >= 0;
}

static int scan_protobuf(struct frame_scanner *scanner, struct slice bytes, size_t *at,
			 struct err *err)
{
	while (scanner->head_bytes < PROTOBUF_HEAD_BYTES && *at < bytes.len) {
		scanner->remaining = scanner->remaining << 8 |
				     (unsigned char)bytes.data[(*at)++];
		scanner->head_bytes++;
	}
	if (scanner->head_bytes < PROTOBUF_HEAD_BYTES)
		return 0;
	if (scanner->remaining > PROTOBUF_FRAME_MAX)
		return err_set(err, -EINVAL, "protobuf: a frame of %llu bytes",
			       (unsigned long long)scanner->remaining);
	*at += skip(scanner, bytes.len - *at);
	if (scanner->remaining > 0)
		return 0;
	scanner->head_bytes = 0;
	return 1;
}

/* An item has ended, and with it each container whose last one it was. */
static void end_item(struct frame_scanner *scanner)
{
	while (scanner->depth > 0) {
		uint64_t *items = &scanner->items[scanner->depth - 1];

		if (*items == UNTIL_BREAK || --*items > 0)
			return;
		scanner->depth--;
	}
	scanner->is_inside = false;
}

static int open_container(struct frame_scanner *scanner, uint64_t items,
			  struct err *err)
{
	if (items == 0) {
		end_item(scanner);
		return 0;
	}
	if (scanner->depth == FRAME_CBOR_DEPTH_MAX)
		return err_set(err, -EINVAL, "CBOR: nested more than %d deep",
			       FRAME_CBOR_DEPTH_MAX);
	scanner->items[scanner->depth++] = items;
	return 0;
}

/* The head is complete; its argument is in remaining. */
static int take_head(struct frame_scanner *scanner, struct err *err)
{
	enum cbor_major major = scanner->initial >> 5;
	uint64_t argument = scanner->remaining;

	scanner->remaining = 0;
	if (major >= CBOR_BYTES && major <= CBOR_MAP && argument > CBOR_LENGTH_MAX)
		return err_set(err, -EINVAL, "CBOR: a length of %llu",
			       (unsigned long long)argument);
	switch (major) {
	case CBOR_BYTES:
	case CBOR_TEXT:
		scanner->remaining = argument;
		if (argument == 0)
			end_item(scanner);
		return 0;
	case CBOR_ARRAY:
		return open_container(scanner, argument, err);
	case CBOR_MAP:
		return open_container(scanner, 2 * argument, err);
	case CBOR_TAG: /* belongs to the item that follows */
		return 0;
	case CBOR_UNSIGNED:
	case CBOR_NEGATIVE:
	case CBOR_SIMPLE:
		break;
	}
	end_item(scanner);
	return 0;
}

/* Additional information 31: a container without a length, or its end. */
static int take_indefinite(struct frame_scanner *scanner, struct err *err)
{
	enum cbor_major major = scanner->initial >> 5;

	if (major >= CBOR_BYTES && major <= CBOR_MAP)
		return open_container(scanner, UNTIL_BREAK, err);
	if (major != CBOR_SIMPLE || scanner->depth == 0 ||
	    scanner->items[scanner->depth - 1] != UNTIL_BREAK)
		return err_set(err, -EINVAL, "CBOR: a break or a length out of place");
	scanner->depth--;
	end_item(scanner);
	return 0;
}

static int take_initial(struct frame_scanner *scanner, uint8_t initial, struct err *err)
{
	unsigned info = initial & 0x1f;

	scanner->is_inside = true;
	scanner->initial = initial;
	if (info == CBOR_INFO_INDEFINITE)
		return take_indefinite(scanner, err);
	if (info > CBOR_INFO_8_BYTES)
		return err_set(err, -EINVAL, "CBOR: a reserved byte %02x", initial);
	if (info >= CBOR_INFO_1_BYTE) {
		scanner->argument_bytes = 1u << (info - CBOR_INFO_1_BYTE);
		return 0;
	}
	scanner->remaining = info;
	return take_head(scanner, err);
}

static int take_argument(struct frame_scanner *scanner, uint8_t byte, struct err *err)
{
	scanner->remaining = scanner->remaining << 8 | byte;
	return --scanner->argument_bytes > 0 ? 0 : take_head(scanner, err);
}

/* Bytes of a string, all at once; then its end. */
static void take_string(struct frame_scanner *scanner, size_t available, size_t *at)
{
	*at += skip(scanner, available);
	if (scanner->remaining == 0)
		end_item(scanner);
}

static int scan_cbor(struct frame_scanner *scanner, struct slice bytes, size_t *at,
		     struct err *err)
{
	int rc = 0;

	while (*at < bytes.len && rc == 0) {
		if (scanner->argument_bytes > 0)
			rc = take_argument(scanner, (uint8_t)bytes.data[(*at)++], err);
		else if (scanner->remaining > 0)
			take_string(scanner, bytes.len - *at, at);
		else
			rc = take_initial(scanner, (uint8_t)bytes.data[(*at)++], err);
		if (rc == 0 && !scanner->is_inside)
			return 1;
	}
	return rc;
}

int frame_scan(struct frame_scanner *scanner, struct slice bytes, size_t *consumed,
	       struct err *err)
{
	size_t at = 0;
	int rc;

	scanner->is_inside |= bytes.len > 0;
	if (scanner->encoding == KUBE_PROTOBUF)
		rc = scan_protobuf(scanner, bytes, &at, err);
	else if (scanner->encoding == KUBE_CBOR)
		rc = scan_cbor(scanner, bytes, &at, err);
	else
		rc = scan_json(bytes, &at);
	if (rc < 0)
		return rc;
	if (rc == 1)
		scanner->is_inside = false;
	*consumed = at;
	return rc;
}
