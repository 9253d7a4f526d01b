#include "proxy/kube/request.h"

#include "proxy/base/buf.h"
#include "tests/unit/kube/rows.h"

/* Texts: group version namespace resource name subresource; "-" is empty. */
struct row {
	const char *method;
	const char *target;
	enum kube_verb verb;
	const char *fields;
};

static void append(struct buf *out, struct slice text, const char *separator)
{
	buf_append(out, text.len > 0 ? text : SLICE_LITERAL("-"));
	buf_append_text(out, separator);
}

static void check_request(const struct row *row, bool is_ambiguous)
{
	struct arena *arena = arena_create();
	struct kube_request request;
	struct buf fields;

	kube_request_parse(&request, arena, slice_of(row->method),
			   slice_of(row->target));
	buf_init(&fields, 10000);
	append(&fields, request.group, " ");
	append(&fields, request.version, " ");
	append(&fields, request.namespace, " ");
	append(&fields, request.resource, " ");
	append(&fields, request.name, " ");
	append(&fields, request.subresource, "");
	ck_assert_msg(request.verb == row->verb, "%s %s: verb %s", row->method,
		      row->target, kube_verb_name(request.verb));
	ck_row_slice(row->target, buf_slice(&fields), row->fields);
	ck_row(row->target, request.is_ambiguous == is_ambiguous);
	ck_row_slice(row->target, request.method, row->method);
	buf_finish(&fields);
	arena_destroy(arena);
}

static void check_requests(const struct row *rows, size_t n, bool is_ambiguous)
{
	for (size_t i = 0; i < n; i++)
		check_request(&rows[i], is_ambiguous);
}

START_TEST(kube_request_verb_is_of_the_method_and_of_the_name)
{
	static const struct row rows[] = {
		{ "GET", "/api/v1/pods", KUBE_VERB_LIST, "- v1 - pods - -" },
		{ "HEAD", "/api/v1/pods", KUBE_VERB_LIST, "- v1 - pods - -" },
		{ "GET", "/api/v1/namespaces/n/pods", KUBE_VERB_LIST,
		  "- v1 n pods - -" },
		{ "GET", "/api/v1/namespaces/n/pods/p", KUBE_VERB_GET,
		  "- v1 n pods p -" },
		{ "HEAD", "/apis/apps/v1/namespaces/n/deployments/d", KUBE_VERB_GET,
		  "apps v1 n deployments d -" },
		{ "POST", "/apis/apps/v1/namespaces/n/deployments", KUBE_VERB_CREATE,
		  "apps v1 n deployments - -" },
		{ "PUT", "/apis/x.io/v1/foos/f", KUBE_VERB_UPDATE,
		  "x.io v1 - foos f -" },
		{ "PATCH", "/apis/x.io/v1/foos/f/status", KUBE_VERB_PATCH,
		  "x.io v1 - foos f status" },
		{ "DELETE", "/api/v1/namespaces/n/pods/p", KUBE_VERB_DELETE,
		  "- v1 n pods p -" },
		{ "DELETE", "/api/v1/namespaces/n/pods", KUBE_VERB_DELETECOLLECTION,
		  "- v1 n pods - -" },
		{ "OPTIONS", "/api/v1/pods", KUBE_VERB_OTHER, "- v1 - pods - -" },
		{ "get", "/api/v1/pods", KUBE_VERB_OTHER, "- v1 - pods - -" },
		{ "GET", "/api/v1/namespaces/n/pods/p/log?follow=1", KUBE_VERB_GET,
		  "- v1 n pods p log" },
		{ "GET", "/apis/apps/v1/namespaces/n/deployments/d/scale/x",
		  KUBE_VERB_GET, "apps v1 n deployments d scale" },
		{ "POST", "/api/v1/namespaces/n/pods/p/eviction", KUBE_VERB_CREATE,
		  "- v1 n pods p eviction" },
	};

	check_requests(rows, ROWS(rows), false);
}
END_TEST

START_TEST(kube_request_is_about_no_resource_outside_a_group_version)
{
	static const struct row rows[] = {
		{ "GET", "/", KUBE_VERB_NONE, "- - - - - -" },
		{ "GET", "", KUBE_VERB_NONE, "- - - - - -" },
		{ "GET", "/healthz", KUBE_VERB_NONE, "- - - - - -" },
		{ "GET", "/healthz/etcd/x/y", KUBE_VERB_NONE, "- - - - - -" },
		{ "GET", "/api", KUBE_VERB_NONE, "- - - - - -" },
		{ "GET", "/api/v1", KUBE_VERB_NONE, "- - - - - -" },
		{ "GET", "/api/v1/", KUBE_VERB_NONE, "- - - - - -" },
		{ "GET", "/apis", KUBE_VERB_NONE, "- - - - - -" },
		{ "GET", "/apis/apps", KUBE_VERB_NONE, "- - - - - -" },
		{ "GET", "/apis/apps/v1", KUBE_VERB_NONE, "- - - - - -" },
		{ "POST", "/apis/apps/v1", KUBE_VERB_NONE, "- - - - - -" },
		{ "GET", "/openapi/v3/apis/apps/v1", KUBE_VERB_NONE, "- - - - - -" },
		{ "GET", "/API/v1/pods", KUBE_VERB_NONE, "- - - - - -" },
		{ "GET", "/apiserver/v1/pods/x", KUBE_VERB_NONE, "- - - - - -" },
		{ "OPTIONS", "*", KUBE_VERB_NONE, "- - - - - -" },
		/* The API server answers that it knows no kind. */
		{ "GET", "/api/v1/watch", KUBE_VERB_NONE, "- v1 - - - -" },
		{ "GET", "/apis/apps/v1/proxy", KUBE_VERB_NONE, "apps v1 - - - -" },
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		check_request(&rows[i], rows[i].target[0] == '\0');
}
END_TEST

START_TEST(kube_request_tells_a_namespace_from_what_is_in_it)
{
	static const struct row rows[] = {
		{ "GET", "/api/v1/namespaces", KUBE_VERB_LIST,
		  "- v1 - namespaces - -" },
		{ "GET", "/api/v1/namespaces/n", KUBE_VERB_GET,
		  "- v1 n namespaces n -" },
		{ "PUT", "/api/v1/namespaces/n/status", KUBE_VERB_UPDATE,
		  "- v1 n namespaces n status" },
		{ "PUT", "/api/v1/namespaces/n/finalize", KUBE_VERB_UPDATE,
		  "- v1 n namespaces n finalize" },
		{ "DELETE", "/api/v1/namespaces/n", KUBE_VERB_DELETE,
		  "- v1 n namespaces n -" },
		{ "GET", "/api/v1/namespaces/n/finalizers", KUBE_VERB_LIST,
		  "- v1 n finalizers - -" },
		{ "GET", "/apis/x.io/v1/namespaces/n/status/s", KUBE_VERB_GET,
		  "x.io v1 n namespaces n status" },
		{ "GET", "/api/v1/namespaces/namespaces/pods", KUBE_VERB_LIST,
		  "- v1 namespaces pods - -" },
	};

	check_requests(rows, ROWS(rows), false);
}
END_TEST

START_TEST(kube_request_without_a_name_lists_or_watches_as_the_query_says)
{
	static const struct row rows[] = {
		{ "GET", "/api/v1/pods?watch=1", KUBE_VERB_WATCH, "- v1 - pods - -" },
		{ "GET", "/api/v1/pods?watch", KUBE_VERB_WATCH, "- v1 - pods - -" },
		{ "GET", "/api/v1/pods?limit=5&w%61tch=true", KUBE_VERB_WATCH,
		  "- v1 - pods - -" },
		{ "GET", "/api/v1/pods?watch=false", KUBE_VERB_LIST,
		  "- v1 - pods - -" },
		{ "GET", "/api/v1/pods?watch=0&watch=1", KUBE_VERB_LIST,
		  "- v1 - pods - -" },
		{ "GET", "/api/v1/pods?", KUBE_VERB_LIST, "- v1 - pods - -" },
		{ "GET", "/api/v1/pods/p?watch=1", KUBE_VERB_GET, "- v1 - pods p -" },
		{ "POST", "/api/v1/pods?watch=1", KUBE_VERB_CREATE, "- v1 - pods - -" },
		{ "DELETE", "/api/v1/pods?watch=1", KUBE_VERB_DELETECOLLECTION,
		  "- v1 - pods - -" },
		{ "GET", "/api/v1/pods%3Fwatch=1", KUBE_VERB_LIST,
		  "- v1 - pods?watch=1 - -" },
	};

	check_requests(rows, ROWS(rows), false);
}
END_TEST

START_TEST(kube_request_takes_the_name_from_a_field_selector)
{
	static const struct row rows[] = {
		{ "GET", "/api/v1/pods?fieldSelector=metadata.name%3Dp", KUBE_VERB_LIST,
		  "- v1 - pods p -" },
		{ "GET",
		  "/api/v1/namespaces/n/pods?watch=1&fieldSelector=metadata.name=p",
		  KUBE_VERB_WATCH, "- v1 n pods p -" },
		{ "GET", "/api/v1/pods?fieldSelector=metadata.name!=p", KUBE_VERB_LIST,
		  "- v1 - pods - -" },
		{ "GET", "/api/v1/pods?fieldSelector=metadata.name=..", KUBE_VERB_LIST,
		  "- v1 - pods - -" },
		{ "GET", "/api/v1/pods?fieldSelector=metadata.name=a/b", KUBE_VERB_LIST,
		  "- v1 - pods - -" },
		{ "GET", "/api/v1/pods?fieldSelector=metadata.name=a%2525",
		  KUBE_VERB_LIST, "- v1 - pods - -" },
		{ "GET", "/api/v1/pods/p?fieldSelector=metadata.name=q", KUBE_VERB_GET,
		  "- v1 - pods p -" },
		{ "DELETE", "/api/v1/pods?fieldSelector=metadata.name=p",
		  KUBE_VERB_DELETECOLLECTION, "- v1 - pods - -" },
	};

	check_requests(rows, ROWS(rows), false);
}
END_TEST

START_TEST(kube_request_connects_whatever_the_method)
{
	static const struct row rows[] = {
		{ "POST", "/api/v1/namespaces/n/pods/p/exec?command=ls",
		  KUBE_VERB_CONNECT, "- v1 n pods p exec" },
		{ "GET", "/api/v1/namespaces/n/pods/p/exec", KUBE_VERB_CONNECT,
		  "- v1 n pods p exec" },
		{ "GET", "/api/v1/namespaces/n/pods/p/attach", KUBE_VERB_CONNECT,
		  "- v1 n pods p attach" },
		{ "POST", "/api/v1/namespaces/n/pods/p/portforward", KUBE_VERB_CONNECT,
		  "- v1 n pods p portforward" },
		{ "GET", "/api/v1/namespaces/n/pods/p/proxy/a/b", KUBE_VERB_CONNECT,
		  "- v1 n pods p proxy" },
		{ "DELETE", "/api/v1/namespaces/n/services/https:s:1/proxy/",
		  KUBE_VERB_CONNECT, "- v1 n services https:s:1 proxy" },
		{ "OPTIONS", "/api/v1/nodes/x/proxy/pods", KUBE_VERB_CONNECT,
		  "- v1 - nodes x proxy" },
		{ "PUT", "/api/v1/proxy/namespaces/n/services/s/a", KUBE_VERB_CONNECT,
		  "- v1 n services s -" },
		/* Only where Kubernetes itself serves it so. */
		{ "POST", "/apis/x.io/v1/namespaces/n/pods/p/exec", KUBE_VERB_CREATE,
		  "x.io v1 n pods p exec" },
		{ "GET", "/api/v1/namespaces/n/services/s/exec", KUBE_VERB_GET,
		  "- v1 n services s exec" },
	};

	check_requests(rows, ROWS(rows), false);
}
END_TEST

START_TEST(kube_request_knows_the_old_way_to_watch)
{
	static const struct row rows[] = {
		{ "GET", "/api/v1/watch/pods", KUBE_VERB_WATCH, "- v1 - pods - -" },
		{ "GET", "/api/v1/watch/namespaces/n/pods/p", KUBE_VERB_WATCH,
		  "- v1 n pods p -" },
		{ "GET", "/apis/apps/v1/watch/deployments?watch=0", KUBE_VERB_WATCH,
		  "apps v1 - deployments - -" },
		{ "POST", "/api/v1/watch/pods", KUBE_VERB_WATCH, "- v1 - pods - -" },
	};
	struct arena *arena = arena_create();
	struct kube_request request;

	check_requests(rows, ROWS(rows), false);
	kube_request_parse(&request, arena, slice_of("GET"),
			   slice_of("/api/v1/watch/pods"));
	ck_assert(request.is_deprecated_watch);
	kube_request_parse(&request, arena, slice_of("GET"),
			   slice_of("/api/v1/pods?watch=1"));
	ck_assert(!request.is_deprecated_watch);
	kube_request_parse(&request, arena, slice_of("GET"), slice_of("/api/v1/watch"));
	ck_assert(!request.is_deprecated_watch);
	arena_destroy(arena);
}
END_TEST

START_TEST(kube_request_decodes_the_path_as_a_whole_before_it_splits)
{
	static const struct row rows[] = {
		{ "GET", "/api/v1/namespaces/n%2Fpods%2fp", KUBE_VERB_GET,
		  "- v1 n pods p -" },
		{ "GET", "/%61pi/v1/%70ods", KUBE_VERB_LIST, "- v1 - pods - -" },
		{ "GET", "/api/v1/nodes/a+b%20c", KUBE_VERB_GET,
		  "- v1 - nodes a+b c -" },
		{ "GET", "/api/v1/nodes/%C3%A9", KUBE_VERB_GET,
		  "- v1 - nodes \xc3\xa9 -" },
		{ "GET", "/api/v1/nodes/a%252Fb", KUBE_VERB_GET,
		  "- v1 - nodes a%2Fb -" },
		{ "GET", "/api/v1/pods/", KUBE_VERB_LIST, "- v1 - pods - -" },
		{ "GET", "/api/v1/nodes/...", KUBE_VERB_GET, "- v1 - nodes ... -" },
	};

	check_requests(rows, ROWS(rows), false);
}
END_TEST

START_TEST(kube_request_is_ambiguous_where_servers_differ_and_reads_the_cleaned_path)
{
	static const struct row rows[] = {
		{ "GET", "//api/v1/pods", KUBE_VERB_LIST, "- v1 - pods - -" },
		{ "GET", "/api//v1/pods", KUBE_VERB_LIST, "- v1 - pods - -" },
		{ "GET", "/api/v1/pods//", KUBE_VERB_LIST, "- v1 - pods - -" },
		{ "GET", "/api/v1/namespaces/n//pods", KUBE_VERB_LIST,
		  "- v1 n pods - -" },
		/* Go would read the pod p of no namespace: hence ambiguous. */
		{ "GET", "/api/v1/namespaces//pods/p", KUBE_VERB_LIST,
		  "- v1 pods p - -" },
		{ "GET", "/a/b/c/d/e/f/g/h/../../../../../../../../api/v1/pods",
		  KUBE_VERB_LIST, "- v1 - pods - -" },
		{ "GET", "/api/v1/./pods", KUBE_VERB_LIST, "- v1 - pods - -" },
		{ "GET", "/api/v1/nodes/../pods", KUBE_VERB_LIST, "- v1 - pods - -" },
		{ "GET", "/api/v1/nodes/%2e%2E/pods", KUBE_VERB_LIST,
		  "- v1 - pods - -" },
		{ "GET", "/healthz/..%2fapi/v1/pods", KUBE_VERB_LIST,
		  "- v1 - pods - -" },
		{ "GET", "/../../api/v1/pods/.", KUBE_VERB_LIST, "- v1 - pods - -" },
		{ "GET", "/api/v1/pods/p/..", KUBE_VERB_LIST, "- v1 - pods - -" },
		{ "GET", "/api/v1/pods/a%zz", KUBE_VERB_GET, "- v1 - pods a%zz -" },
		{ "GET", "/api/v1/pods/%", KUBE_VERB_GET, "- v1 - pods % -" },
		{ "GET", "/api/v1/pods/a%0Ab", KUBE_VERB_GET, "- v1 - pods a\nb -" },
		{ "GET", "/api/v1/pods/a%7f", KUBE_VERB_GET, "- v1 - pods a\x7f -" },
		{ "GET", "http://host:1/api/v1/pods?watch=1", KUBE_VERB_WATCH,
		  "- v1 - pods - -" },
		{ "GET", "http://host", KUBE_VERB_NONE, "- - - - - -" },
		{ "GET", "api/v1/pods", KUBE_VERB_LIST, "- v1 - pods - -" },
		/* A query that servers split differently: list or watch? */
		{ "GET", "/api/v1/pods?a=1;watch=1", KUBE_VERB_LIST,
		  "- v1 - pods - -" },
		{ "GET", "/api/v1/pods?watch=%zz", KUBE_VERB_LIST, "- v1 - pods - -" },
	};

	check_requests(rows, ROWS(rows), true);
}
END_TEST

START_TEST(kube_request_keeps_bytes_that_are_zero)
{
	struct arena *arena = arena_create();
	struct kube_request request;

	kube_request_parse(&request, arena, slice_of("GET"),
			   slice_of("/api/v1/pods/a%00b"));
	ck_assert(request.is_ambiguous);
	ck_assert(slice_eq(request.name, SLICE_LITERAL("a\0b")));
	arena_destroy(arena);
}
END_TEST

START_TEST(kube_request_keeps_path_and_query_as_they_were_written)
{
	struct arena *arena = arena_create();
	struct kube_request request;

	kube_request_parse(&request, arena, slice_of("GET"),
			   slice_of("/api/v1/%70ods/?a=%20+&b?c"));
	ck_assert_slice(request.path, "/api/v1/%70ods/");
	ck_assert_slice(request.query, "a=%20+&b?c");
	kube_request_parse(&request, arena, slice_of("GET"), slice_of("/x"));
	ck_assert_slice(request.path, "/x");
	ck_assert_uint_eq(request.query.len, 0);
	arena_destroy(arena);
}
END_TEST

START_TEST(kube_verb_is_mutating_from_create_to_connect)
{
	static const struct {
		enum kube_verb verb;
		const char *name;
		bool is_mutating;
	} rows[] = {
		{ KUBE_VERB_NONE, "", false },
		{ KUBE_VERB_GET, "get", false },
		{ KUBE_VERB_LIST, "list", false },
		{ KUBE_VERB_WATCH, "watch", false },
		{ KUBE_VERB_CREATE, "create", true },
		{ KUBE_VERB_UPDATE, "update", true },
		{ KUBE_VERB_PATCH, "patch", true },
		{ KUBE_VERB_DELETE, "delete", true },
		{ KUBE_VERB_DELETECOLLECTION, "deletecollection", true },
		{ KUBE_VERB_CONNECT, "connect", true },
		{ KUBE_VERB_OTHER, "other", false },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		ck_assert_str_eq(kube_verb_name(rows[i].verb), rows[i].name);
		ck_row(rows[i].name,
		       kube_verb_is_mutating(rows[i].verb) == rows[i].is_mutating);
	}
}
END_TEST

UNIT_MAIN("kube/request", kube_request_verb_is_of_the_method_and_of_the_name,
	  kube_request_is_about_no_resource_outside_a_group_version,
	  kube_request_tells_a_namespace_from_what_is_in_it,
	  kube_request_without_a_name_lists_or_watches_as_the_query_says,
	  kube_request_takes_the_name_from_a_field_selector,
	  kube_request_connects_whatever_the_method,
	  kube_request_knows_the_old_way_to_watch,
	  kube_request_decodes_the_path_as_a_whole_before_it_splits,
	  kube_request_is_ambiguous_where_servers_differ_and_reads_the_cleaned_path,
	  kube_request_keeps_bytes_that_are_zero,
	  kube_request_keeps_path_and_query_as_they_were_written,
	  kube_verb_is_mutating_from_create_to_connect)
