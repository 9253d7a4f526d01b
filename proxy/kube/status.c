#include "proxy/kube/status.h"

#include "proxy/kube/json.h"
#include "proxy/kube/pb.h"

/* Fields of metav1.Status, StatusDetails, WatchEvent, RawExtension. */
enum {
	STATUS_METADATA = 1,
	STATUS_STATUS = 2,
	STATUS_MESSAGE = 3,
	STATUS_REASON = 4,
	STATUS_DETAILS = 5,
	STATUS_CODE = 6,
	DETAILS_RETRY_AFTER = 5,
	EVENT_TYPE = 1,
	EVENT_OBJECT = 2,
	RAW = 1,
};

/* Tag 55799, "this is CBOR": what kube-apiserver puts before each object. */
static const struct slice cbor_magic = { "\xd9\xd9\xf7", 3 };

enum cbor_major { CBOR_UNSIGNED = 0, CBOR_BYTES = 2, CBOR_MAP = 5 };

static int write_json(struct buf *out, const struct status *status)
{
	int rc = buf_append_text(out, "{\"kind\":\"Status\",\"apiVersion\":\"v1\","
				      "\"metadata\":{},\"status\":\"Failure\","
				      "\"message\":");

	if (rc == 0)
		rc = json_write_string(out, slice_of(status->message));
	if (rc == 0)
		rc = buf_append_text(out, ",\"reason\":");
	if (rc == 0)
		rc = json_write_string(out, slice_of(status->reason));
	if (rc == 0 && status->retry_after_s > 0)
		rc = buf_printf(out, ",\"details\":{\"retryAfterSeconds\":%d}",
				status->retry_after_s);
	if (rc == 0)
		rc = buf_printf(out, ",\"code\":%d}", status->code);
	return rc;
}

static int write_protobuf_details(struct buf *out, int retry_after_s)
{
	struct buf details;
	int rc;

	if (retry_after_s <= 0)
		return 0;
	buf_init(&details, 16);
	rc = pb_write_varint(&details, DETAILS_RETRY_AFTER, (uint64_t)retry_after_s);
	if (rc == 0)
		rc = pb_write_bytes(out, STATUS_DETAILS, buf_slice(&details));
	buf_finish(&details);
	return rc;
}

static int write_protobuf_fields(struct buf *out, const struct status *status)
{
	int rc = pb_write_bytes(out, STATUS_METADATA, slice_of(""));

	if (rc == 0)
		rc = pb_write_bytes(out, STATUS_STATUS, slice_of("Failure"));
	if (rc == 0)
		rc = pb_write_bytes(out, STATUS_MESSAGE, slice_of(status->message));
	if (rc == 0)
		rc = pb_write_bytes(out, STATUS_REASON, slice_of(status->reason));
	if (rc == 0)
		rc = write_protobuf_details(out, status->retry_after_s);
	if (rc == 0)
		rc = pb_write_varint(out, STATUS_CODE, (uint64_t)status->code);
	return rc;
}

static int write_protobuf(struct buf *out, const struct status *status)
{
	struct buf fields;
	int rc;

	buf_init(&fields, out->cap);
	rc = write_protobuf_fields(&fields, status);
	if (rc == 0)
		rc = pb_write_envelope(out, "v1", "Status", buf_slice(&fields));
	buf_finish(&fields);
	return rc;
}

/* The head of a data item; arguments here fit 32 bits. */
static int cbor_head(struct buf *out, enum cbor_major major, uint32_t argument)
{
	char head[5] = { (char)(major << 5 | 26), (char)(argument >> 24),
			 (char)(argument >> 16), (char)(argument >> 8),
			 (char)argument };

	if (argument > UINT16_MAX)
		return buf_append(out, slice_make(head, 5));
	if (argument > UINT8_MAX) {
		head[2] = (char)(major << 5 | 25);
		return buf_append(out, slice_make(head + 2, 3));
	}
	head[3] = (char)(major << 5 | 24);
	if (argument > 23)
		return buf_append(out, slice_make(head + 3, 2));
	head[4] = (char)(major << 5 | argument);
	return buf_append(out, slice_make(head + 4, 1));
}

/* Texts as byte strings, as kube-apiserver writes them: no UTF-8 is promised. */
static int cbor_text(struct buf *out, const char *text)
{
	struct slice bytes = slice_of(text);
	int rc = cbor_head(out, CBOR_BYTES, (uint32_t)bytes.len);

	return rc < 0 ? rc : buf_append(out, bytes);
}

static int cbor_texts(struct buf *out, const struct status *status)
{
	const char *const texts[] = {
		"kind",    "Status",  "apiVersion",    "v1",     "status",
		"Failure", "message", status->message, "reason", status->reason,
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && rc == 0; i++)
		rc = cbor_text(out, texts[i]);
	return rc;
}

static int write_cbor(struct buf *out, const struct status *status)
{
	bool has_details = status->retry_after_s > 0;
	int rc = buf_append(out, cbor_magic);

	if (rc == 0)
		rc = cbor_head(out, CBOR_MAP, 7 + has_details);
	if (rc == 0)
		rc = cbor_texts(out, status);
	if (rc == 0)
		rc = cbor_text(out, "metadata");
	if (rc == 0)
		rc = cbor_head(out, CBOR_MAP, 0);
	if (rc == 0)
		rc = cbor_text(out, "code");
	if (rc == 0)
		rc = cbor_head(out, CBOR_UNSIGNED, (uint32_t)status->code);
	if (rc < 0 || !has_details)
		return rc;
	rc = cbor_text(out, "details");
	if (rc == 0)
		rc = cbor_head(out, CBOR_MAP, 1);
	if (rc == 0)
		rc = cbor_text(out, "retryAfterSeconds");
	if (rc == 0)
		rc = cbor_head(out, CBOR_UNSIGNED, (uint32_t)status->retry_after_s);
	return rc;
}

static int write_status(struct buf *out, enum kube_encoding encoding,
			const struct status *status)
{
	switch (encoding) {
	case KUBE_PROTOBUF:
		return write_protobuf(out, status);
	case KUBE_CBOR:
		return write_cbor(out, status);
	case KUBE_JSON:
	case KUBE_YAML:
	case KUBE_OTHER:
		break;
	}
	return write_json(out, status);
}

int status_write(struct buf *out, enum kube_encoding encoding,
		 const struct status *status)
{
	size_t start = out->len;
	int rc = write_status(out, encoding, status);

	if (rc < 0)
		out->len = start;
	return rc;
}

static int append_length(struct buf *out, size_t length)
{
	const char bytes[4] = { (char)(length >> 24), (char)(length >> 16),
				(char)(length >> 8), (char)length };

	return buf_append(out, slice_make(bytes, 4));
}

/*
 * A length and a bare metav1.WatchEvent; only the object in it has an envelope
 * (k8s.io/apimachinery runtime/serializer/protobuf, NewRawSerializer).
 */
static int frame_protobuf(struct buf *out, struct slice object)
{
	struct buf raw, event;
	int rc;

	buf_init(&raw, out->cap);
	buf_init(&event, out->cap);
	rc = pb_write_bytes(&raw, RAW, object);
	if (rc == 0)
		rc = pb_write_bytes(&event, EVENT_TYPE, slice_of("ERROR"));
	if (rc == 0)
		rc = pb_write_bytes(&event, EVENT_OBJECT, buf_slice(&raw));
	if (rc == 0)
		rc = append_length(out, event.len);
	if (rc == 0)
		rc = buf_append(out, buf_slice(&event));
	buf_finish(&raw);
	buf_finish(&event);
	return rc;
}

static int frame_cbor(struct buf *out, struct slice object)
{
	int rc = buf_append(out, cbor_magic);

	if (rc == 0)
		rc = cbor_head(out, CBOR_MAP, 2);
	if (rc == 0)
		rc = cbor_text(out, "type");
	if (rc == 0)
		rc = cbor_text(out, "ERROR");
	if (rc == 0)
		rc = cbor_text(out, "object");
	return rc < 0 ? rc : buf_append(out, object);
}

static int frame_json(struct buf *out, struct slice object)
{
	int rc = buf_append_text(out, "{\"type\":\"ERROR\",\"object\":");

	if (rc == 0)
		rc = buf_append(out, object);
	return rc < 0 ? rc : buf_append_text(out, "}\n");
}

int status_write_event(struct buf *out, enum kube_encoding encoding,
		       const struct status *status)
{
	size_t start = out->len;
	struct buf object;
	int rc;

	buf_init(&object, out->cap);
	rc = write_status(&object, encoding, status);
	if (rc == 0) {
		struct slice bytes = buf_slice(&object);

		rc = encoding == KUBE_PROTOBUF ? frame_protobuf(out, bytes)
		     : encoding == KUBE_CBOR   ? frame_cbor(out, bytes)
					       : frame_json(out, bytes);
	}
	if (rc < 0)
		out->len = start;
	buf_finish(&object);
	return rc;
}

const char *status_phrase(int code)
{
	static const struct {
		int code;
		const char *phrase;
	} rows[] = {
		{ 101, "Switching Protocols" },
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 402, "Payment Required" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 407, "Proxy Authentication Required" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Entity" },
		{ 426, "Upgrade Required" },
		{ 428, "Precondition Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 511, "Network Authentication Required" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == code)
			return rows[i].phrase;
	return "Unknown";
}
