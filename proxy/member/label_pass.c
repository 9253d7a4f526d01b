#include "proxy/member/label_pass.h"

#include "proxy/base/log.h"

/* The same failure of a resource is logged again after this time. */
#define LOG_AGAIN_MS 60000

void label_pass_init(struct label_pass *pass, struct arena *arena,
		     const struct ring_resource *resource, bool is_done)
{
	*pass = (struct label_pass){ .resource = resource, .is_done = is_done };
	pass->name = ring_resource_name(resource, arena);
}

void label_pass_start(struct label_pass *pass, struct arena *arena, int first_source,
		      int sources_n, int64_t now_ms)
{
	pass->first_source = first_source;
	pass->sources_n = sources_n;
	pass->sources = arena_alloc(arena, (size_t)sources_n * sizeof(*pass->sources));
	pass->started_ms = now_ms;
	pass->told_ms = now_ms;
}

static struct label_pass_source *source_of(const struct label_pass *pass, int source)
{
	return &pass->sources[source - pass->first_source];
}

void label_pass_on_list(struct label_pass *pass, int source)
{
	struct label_pass_source *from = source_of(pass, source);

	from->list++;
	pass->synced_n -= from->is_synced;
	from->is_synced = false;
}

void label_pass_on_synced(struct label_pass *pass, int source)
{
	source_of(pass, source)->is_synced = true;
	pass->synced_n++;
}

void label_pass_enter(struct label_pass *pass, struct label_item *item,
		      const struct label_item *former)
{
	const struct label_pass_source *from = source_of(pass, item->source);

	item->list = from->list;
	item->is_first = !pass->is_done && !from->is_synced;
	if (former != NULL && former->is_first)
		item->is_first = true;
	pass->left += item->is_first;
}

void label_pass_leave(struct label_pass *pass, const struct label_item *item)
{
	pass->left -= item->is_first;
}

bool label_pass_has_lost(const struct label_pass *pass, const struct label_item *item)
{
	return item->list != source_of(pass, item->source)->list;
}

bool label_pass_completes(struct label_pass *pass, int64_t now_ms)
{
	if (pass->is_done || pass->sources_n == 0 || pass->left > 0 ||
	    pass->synced_n < pass->sources_n)
		return false;
	pass->is_done = true;
	log_info("labeller", "first pass complete", log_text("resource", pass->name),
		 log_int("objects", pass->objects),
		 log_int("elapsed_ms", now_ms - pass->started_ms));
	return true;
}

void label_pass_tell(struct label_pass *pass, int64_t now_ms)
{
	if (pass->sources_n == 0 || pass->is_done ||
	    now_ms - pass->told_ms < LABEL_PASS_PROGRESS_MS)
		return;
	pass->told_ms = now_ms;
	log_info("labeller", "first pass under way", log_text("resource", pass->name),
		 log_int("objects", pass->objects),
		 log_int("waiting", (int64_t)pass->left),
		 log_int("elapsed_ms", now_ms - pass->started_ms));
}

void label_pass_tell_failure(struct label_pass *pass, const struct label_item *item,
			     const struct label_result *result, int64_t now_ms)
{
	struct log_field resource = log_text("resource", pass->name);
	struct log_field namespace = log_slice("namespace", item->namespace);
	struct log_field name = log_slice("name", item->name);
	struct log_field reason = log_text("reason", result->reason);

	if (pass->refused_ms != 0 && pass->refused_status == result->status &&
	    now_ms - pass->refused_ms < LOG_AGAIN_MS)
		return;
	pass->refused_status = result->status;
	pass->refused_ms = now_ms;
	if (result->status == 403)
		log_error("labeller",
			  "no label: RBAC must allow \"patch\" (or an admission "
			  "policy refuses the label); trying on",
			  resource, namespace, name, reason);
	else if (result->status == LABEL_LOOKUP_FAILED)
		log_warn("labeller",
			 "no label: its owner cannot be looked up; trying on", resource,
			 namespace, name, reason);
	else
		log_warn("labeller", "no label: the patch failed; trying on", resource,
			 namespace, name, log_int("status", result->status), reason);
}
