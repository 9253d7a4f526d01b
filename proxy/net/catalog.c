#include "proxy/net/catalog.h"

#include <errno.h>
#include <stdlib.h>

#include "proxy/base/log.h"
#include "proxy/kube/discovery.h"
#include "proxy/net/backoff.h"

#define BACKOFF_MIN_MS 200
#define BACKOFF_MAX_MS 5000
/* Versions that one group serves; more are not looked at. */
#define VERSIONS_MAX 16
#define VERSION_BYTES_MAX 63

/* What was last found out, so that only a change of it is logged. */
enum finding {
	FOUND_NOTHING_YET,
	FOUND_ABSENT,   /* the API server does not serve it */
	FOUND_UNUSABLE, /* it is served, without watch or patch */
	FOUND_FAILURE,  /* the API server did not answer, or refused */
	FOUND_IT,
};

struct entry {
	struct catalog_entry facts;
	struct catalog *catalog;
	const struct ring_resource *resource;
	struct api_call *call;
	struct loop_timer again;
	struct backoff backoff;
	enum finding finding;
	/* Of its group, the preferred one first; which of them is asked now. */
	char versions[VERSIONS_MAX][VERSION_BYTES_MAX + 1];
	int versions_n;
	int asked;
};

struct catalog {
	const struct api *api;
	const struct ring_spec *spec;
	void (*on_known)(void *arg);
	void *arg;
	int known_n;
	struct entry entries[SPEC_RESOURCES_MAX];
};

/* --- the end of one attempt --- */

static void finding_log(const struct entry *entry, const char *reason)
{
	struct arena *arena = arena_create();
	struct log_field resource =
		log_text("resource", ring_resource_name(entry->resource, arena));

	if (entry->finding == FOUND_ABSENT)
		log_warn("catalog", "not served by the API server yet; asking on",
			 resource, log_text("reason", reason));
	else if (entry->finding == FOUND_UNUSABLE)
		log_error("catalog", "cannot be sharded; asking on", resource,
			  log_text("reason", reason));
	else if (entry->finding == FOUND_FAILURE)
		log_warn("catalog", "not known, as discovery failed; asking on",
			 resource, log_text("reason", reason));
	else
		log_info("catalog", "known", resource,
			 log_text("kind", entry->facts.kind),
			 log_text("version", entry->facts.version));
	arena_destroy(arena);
}

static void entry_find(struct entry *entry, enum finding finding, const char *reason)
{
	bool is_news = entry->finding != finding;

	entry->finding = finding;
	if (is_news)
		finding_log(entry, reason);
}

static void entry_retry(struct entry *entry, enum finding finding, const char *reason)
{
	entry_find(entry, finding, reason);
	loop_timer_start(entry->catalog->api->loop, &entry->again,
			 backoff_next_ms(&entry->backoff, backoff_random()));
}

static char *text_copy(struct slice text)
{
	char *copy = strndup(text.len > 0 ? text.data : "", text.len);

	if (copy == NULL)
		abort();
	return copy;
}

static void entry_settle(struct entry *entry, const struct api_resource *found)
{
	struct catalog *catalog = entry->catalog;

	entry->facts.kind = text_copy(found->kind);
	entry->facts.version = text_copy(slice_of(entry->versions[entry->asked]));
	entry->facts.is_namespaced = found->is_namespaced;
	entry->facts.is_known = true;
	catalog->known_n++;
	entry_find(entry, FOUND_IT, NULL);
	if (catalog->on_known != NULL)
		catalog->on_known(catalog->arg);
}

/* --- the resources of one version --- */

static void version_ask(struct entry *entry);

static void on_version(void *arg, const struct api_answer *answer)
{
	struct entry *entry = arg;
	struct api_resource found;
	struct err err = answer->err;
	int rc = answer->status == 404 ? -ENOENT : -EIO;

	entry->call = NULL;
	if (api_is_success(answer) && answer->json != NULL)
		rc = discovery_find(&found, answer->json, entry->resource->resource,
				    &err);
	if (rc == 0 && found.has_watch && found.has_patch)
		entry_settle(entry, &found);
	else if (rc == 0)
		entry_retry(entry, FOUND_UNUSABLE, "it has no verb watch or patch");
	else if (rc != -ENOENT)
		entry_retry(entry, FOUND_FAILURE, err.text);
	else if (++entry->asked < entry->versions_n)
		version_ask(entry);
	else
		entry_retry(entry, FOUND_ABSENT, err.text);
}

static void entry_get(struct entry *entry, const char *target,
		      void (*on_answer)(void *arg, const struct api_answer *answer))
{
	struct api_request request = { .method = "GET", .target = target };

	entry->call = api_start(entry->catalog->api, &request, on_answer, entry);
}

static void version_ask(struct entry *entry)
{
	struct arena *arena = arena_create();
	struct slice group = entry->resource->group;
	const char *version = entry->versions[entry->asked];

	entry_get(entry,
		  group.len == 0 ? arena_printf(arena, "/api/%s", version)
				 : arena_printf(arena, "/apis/%.*s/%s",
						SLICE_ARGS(group), version),
		  on_version);
	arena_destroy(arena);
}

/* --- the versions of a group --- */

static void version_add(struct entry *entry, struct slice version)
{
	if (version.len == 0 || version.len > VERSION_BYTES_MAX ||
	    entry->versions_n == VERSIONS_MAX)
		return;
	for (int i = 0; i < entry->versions_n; i++)
		if (slice_is(version, entry->versions[i]))
			return;
	memcpy(entry->versions[entry->versions_n], version.data, version.len);
	entry->versions[entry->versions_n++][version.len] = '\0';
}

static int versions_read(struct entry *entry, const struct json *group, struct err *err)
{
	const struct json *versions = json_get(group, "versions");
	struct slice preferred;
	int rc = discovery_preferred_version(&preferred, group, err);

	if (rc < 0)
		return rc;
	version_add(entry, preferred);
	for (const struct json *v = versions ? versions->first : NULL; v; v = v->next)
		version_add(entry, json_text(v, "version"));
	if (entry->versions_n == 0)
		return err_set(err, -EINVAL, "an API group without versions");
	return 0;
}

static void on_group(void *arg, const struct api_answer *answer)
{
	struct entry *entry = arg;
	struct err err = answer->err;

	entry->call = NULL;
	if (answer->status == 404)
		entry_retry(entry, FOUND_ABSENT, err.text);
	else if (!api_is_success(answer) || answer->json == NULL ||
		 versions_read(entry, answer->json, &err) < 0)
		entry_retry(entry, FOUND_FAILURE, err.text);
	else
		version_ask(entry);
}

static void entry_ask(void *arg)
{
	struct entry *entry = arg;
	struct arena *arena;

	entry->versions_n = 0;
	entry->asked = 0;
	memset(entry->versions, 0, sizeof(entry->versions));
	if (entry->resource->group.len == 0) {
		version_add(entry, SLICE_LITERAL("v1"));
		version_ask(entry);
		return;
	}
	arena = arena_create();
	entry_get(entry,
		  arena_printf(arena, "/apis/%.*s", SLICE_ARGS(entry->resource->group)),
		  on_group);
	arena_destroy(arena);
}

/* --- the catalog --- */

struct catalog *catalog_create(const struct api *api, const struct ring_spec *spec,
			       void (*on_known)(void *arg), void *arg)
{
	struct catalog *catalog = calloc(1, sizeof(*catalog));

	if (catalog == NULL)
		abort();
	catalog->api = api;
	catalog->spec = spec;
	catalog->on_known = on_known;
	catalog->arg = arg;
	for (int i = 0; i < spec->resources_n; i++) {
		struct entry *entry = &catalog->entries[i];

		entry->catalog = catalog;
		entry->resource = &spec->resources[i];
		loop_timer_init(&entry->again, entry_ask, entry);
		backoff_init(&entry->backoff, BACKOFF_MIN_MS, BACKOFF_MAX_MS);
		entry_ask(entry);
	}
	return catalog;
}

void catalog_destroy(struct catalog *catalog)
{
	if (catalog == NULL)
		return;
	for (int i = 0; i < catalog->spec->resources_n; i++) {
		struct entry *entry = &catalog->entries[i];

		loop_timer_stop(&entry->again);
		api_cancel(entry->call);
		free(entry->facts.kind);
		free(entry->facts.version);
	}
	free(catalog);
}

const struct catalog_entry *catalog_entry(const struct catalog *catalog, int index)
{
	return &catalog->entries[index].facts;
}

const struct ring_resource *catalog_of_kind(const struct catalog *catalog,
					    struct slice group, struct slice kind)
{
	for (int i = 0; i < catalog->spec->resources_n; i++) {
		const struct entry *entry = &catalog->entries[i];

		if (entry->facts.is_known && slice_is(kind, entry->facts.kind) &&
		    slice_eq(group, entry->resource->group))
			return entry->resource;
	}
	return NULL;
}

bool catalog_is_complete(const struct catalog *catalog)
{
	return catalog->known_n == catalog->spec->resources_n;
}

/* --- paths --- */

/* k8s.io/apimachinery pkg/api/validation/path, IsValidPathSegmentName. */
static bool is_segment(struct slice name)
{
	return slice_find(name, '/') < 0 && slice_find(name, '%') < 0 &&
	       !slice_is(name, ".") && !slice_is(name, "..");
}

/* RFC 3986 unreserved characters, and what names of RBAC objects hold. */
static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~:", c) != NULL);
}

static int segment_write(struct buf *out, struct slice name)
{
	int rc = buf_append_text(out, "/");

	for (size_t i = 0; i < name.len && rc == 0; i++) {
		unsigned char c = (unsigned char)name.data[i];

		rc = is_plain(c) ? buf_append(out, slice_make(name.data + i, 1))
				 : buf_printf(out, "%%%02X", c);
	}
	return rc;
}

static int path_write(struct buf *out, const struct ring_resource *resource,
		      const char *version, struct slice namespace, struct slice name)
{
	int rc = resource->group.len == 0
			 ? buf_printf(out, "/api/%s", version)
			 : buf_printf(out, "/apis/%.*s/%s", SLICE_ARGS(resource->group),
				      version);

	if (rc == 0 && namespace.len > 0)
		rc = buf_append_text(out, "/namespaces");
	if (rc == 0 && namespace.len > 0)
		rc = segment_write(out, namespace);
	if (rc == 0)
		rc = segment_write(out, resource->resource);
	if (rc == 0 && name.len > 0)
		rc = segment_write(out, name);
	return rc;
}

int catalog_path(const struct catalog *catalog, const struct ring_resource *resource,
		 struct slice namespace, struct slice name, struct buf *out)
{
	const struct catalog_entry *entry = catalog_entry(catalog, resource->index);

	if (!entry->is_known)
		return -ENOENT;
	if (!is_segment(namespace) || !is_segment(name))
		return -EINVAL;
	return path_write(out, resource, entry->version, namespace, name);
}
