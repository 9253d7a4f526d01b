#include "proxy/kube/list.h"

#include <errno.h>

#include "tests/unit/kube/rows.h"

static const struct json *parse(struct arena *arena, const char *text)
{
	struct json *json = NULL;

	ck_assert_int_eq(json_parse(&json, arena, slice_of(text), NULL, NULL), 0);
	return json;
}

START_TEST(list_of_json_finds_version_token_and_items)
{
	struct arena *arena = arena_create();
	struct list_head list;

	ck_assert_int_eq(
		list_of_json(&list,
			     parse(arena, "{\"kind\":\"PodList\",\"metadata\":{"
					  "\"resourceVersion\":\"42\","
					  "\"continue\":\"abc\"},"
					  "\"items\":[{},{}]}"),
			     NULL),
		0);
	ck_assert_slice(list.resource_version, "42");
	ck_assert_slice(list.continue_token, "abc");
	ck_assert_uint_eq(list.items->count, 2);
	arena_destroy(arena);
}
END_TEST

START_TEST(list_of_json_takes_null_for_no_items)
{
	struct arena *arena = arena_create();
	struct list_head list;

	ck_assert_int_eq(list_of_json(&list,
				      parse(arena, "{\"metadata\":{\"resourceVersion\":"
						   "\"42\"},\"items\":null}"),
				      NULL),
			 0);
	ck_assert_uint_eq(list.continue_token.len, 0);
	ck_assert_uint_eq(list.items->count, 0);
	ck_assert_ptr_null(list.items->first);
	arena_destroy(arena);
}
END_TEST

START_TEST(list_of_json_refuses_what_is_no_list)
{
	static const char *const rows[] = {
		"[]",
		"{}",
		"{\"metadata\":{\"resourceVersion\":\"1\"}}",
		"{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":{}}",
		"{\"metadata\":{\"resourceVersion\":1},\"items\":[]}",
		"{\"metadata\":{\"resourceVersion\":\"\"},\"items\":[]}",
		"{\"items\":[]}",
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct list_head list = { .items = NULL };
		struct err err = { "" };

		ck_row(rows[i],
		       list_of_json(&list, parse(arena, rows[i]), &err) == -EINVAL);
		ck_row(rows[i], err.text[0] != '\0' && !list.items);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(watch_event_of_json_reads_each_type)
{
	static const struct {
		const char *text;
		enum watch_event_type type;
		const char *version;
		int64_t code;
	} rows[] = {
		{ "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":"
		  "\"5\"}}}",
		  WATCH_ADDED, "5", 0 },
		{ "{\"type\":\"MODIFIED\",\"object\":{\"code\":7,\"metadata\":{"
		  "\"resourceVersion\":\"6\"}}}",
		  WATCH_MODIFIED, "6", 0 },
		{ "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"resourceVersion\":"
		  "\"7\"}}}",
		  WATCH_DELETED, "7", 0 },
		{ "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{"
		  "\"resourceVersion\":\"8\"}}}",
		  WATCH_BOOKMARK, "8", 0 },
		{ "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}",
		  WATCH_ERROR, "", 410 },
		{ "{\"type\":\"ERROR\",\"object\":{}}", WATCH_ERROR, "", 0 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		const struct json *json = parse(arena, rows[i].text);
		struct watch_event event;

		ck_row(rows[i].text, watch_event_of_json(&event, json, NULL) == 0);
		ck_row(rows[i].text, event.type == rows[i].type);
		ck_row(rows[i].text, event.object == json_get(json, "object"));
		ck_row_slice(rows[i].text, event.resource_version, rows[i].version);
		ck_row(rows[i].text, event.code == rows[i].code);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(watch_event_of_json_refuses_what_is_no_event)
{
	static const char *const rows[] = {
		"{}",
		"[]",
		"{\"type\":\"ADDED\"}",
		"{\"type\":\"ADDED\",\"object\":[]}",
		"{\"type\":\"ADDED\",\"object\":{}}",
		"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{}}}",
		"{\"type\":\"added\",\"object\":{\"metadata\":{\"resourceVersion\":"
		"\"1\"}}}",
		"{\"type\":1,\"object\":{}}",
		"{\"kind\":\"Status\",\"code\":410}",
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct watch_event event = { .code = 77 };
		struct err err = { "" };

		ck_row(rows[i], watch_event_of_json(&event, parse(arena, rows[i]),
						    &err) == -EINVAL);
		ck_row(rows[i], event.code == 77 && err.text[0] != '\0');
		arena_destroy(arena);
	}
}
END_TEST

/* What storage.EncodeContinue of k8s.io/apiserver v0.37.2 makes of these. */
START_TEST(list_continue_version_reads_the_tokens_of_the_api_server)
{
	static const struct {
		const char *token;
		uint64_t version;
	} rows[] = {
		{ "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJkZWZhdWx0L3dlYi0x"
		  "XHUwMDAwIn0",
		  1 },
		{ "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NDI0Miwic3RhcnQiOiJkZWZhdWx0L3dl"
		  "Yi0xXHUwMDAwIn0",
		  4242 },
		{ "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NDYxMTY4NjAxODQyNzM4NzkwNSwic3Rh"
		  "cnQiOiJkZWZhdWx0L3dlYi0xXHUwMDAwIn0",
		  4611686018427387905u },
		{ "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NzcsInN0YXJ0IjoiZGVmYXVsdC93ZWIt"
		  "MTIzXHUwMDAwIn0",
		  77 },
		{ "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NzcsInN0YXJ0IjoiZGVmYXVsdC93ZWIt"
		  "MTIzXHUwMDAwIn0=",
		  77 },
		/* Digits 62 and 63, which the two alphabets write differently. */
		{ "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NzcsInN0YXJ0IjoiZGVmYXVsdC93ZWIt"
		  "MTLDqT9cdTAwMDAifQ",
		  77 },
		{ "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Nywic3RhcnQiOiI_Pz8_Pn5-fiJ9",
		  7 },
		{ "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Nywic3RhcnQiOiI/Pz8/Pn5+fiJ9",
		  7 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		uint64_t version = 0;

		ck_row(rows[i].token,
		       list_continue_version(slice_of(rows[i].token), &version) == 0);
		ck_row(rows[i].token, version == rows[i].version);
	}
}
END_TEST

START_TEST(list_continue_version_refuses_other_tokens)
{
	static const struct {
		const char *name;
		const char *token;
	} rows[] = {
		{ "empty", "" },
		{ "only padding", "==" },
		{ "no base64", "{\"v\":\"meta.k8s.io/v1\",\"rv\":1}" },
		{ "a digit too many", "eyJ9A" },
		{ "an inconsistent one: rv is -1",
		  "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiZGVmYXVsdC93ZWIt"
		  "MVx1MDAwMCJ9" },
		{ "rv is 0", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MH0" },
		{ "rv is a text", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6IjUifQ" },
		{ "rv is 2^63",
		  "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6OTIyMzM3MjAzNjg1NDc3NTgwOH0" },
		{ "no rv", "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ" },
		{ "another version", "eyJ2IjoibWV0YS5rOHMuaW8vdjIiLCJydiI6MX0" },
		{ "not JSON", "bm90anNvbg" },
		{ "cut short", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwi" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		uint64_t version = 77;

		ck_row(rows[i].name, list_continue_version(slice_of(rows[i].token),
							   &version) == -EINVAL);
		ck_row(rows[i].name, version == 77);
	}
}
END_TEST

START_TEST(list_continue_version_bounds_the_token)
{
	char token[4098];
	uint64_t version;

	memset(token, 'A', sizeof(token));
	for (size_t len = 4090; len <= sizeof(token); len++)
		ck_assert_int_eq(
			list_continue_version(slice_make(token, len), &version),
			-EINVAL);
}
END_TEST

UNIT_MAIN("kube/list", list_of_json_finds_version_token_and_items,
	  list_of_json_takes_null_for_no_items, list_of_json_refuses_what_is_no_list,
	  watch_event_of_json_reads_each_type,
	  watch_event_of_json_refuses_what_is_no_event,
	  list_continue_version_reads_the_tokens_of_the_api_server,
	  list_continue_version_refuses_other_tokens,
	  list_continue_version_bounds_the_token)
