#include "proxy/net/headers.h"

#include <strings.h>

static const char *const hop_by_hop[] = {
	"connection", "keep-alive",     "proxy-connection", "transfer-encoding",
	"te",         "content-length", "upgrade",          "trailer",
	"host",       "expect",         "http2-settings",   NULL,
};

/* h2o says the date of the answer itself. */
static const char *const said_by_us[] = { "date", NULL };

/* Never removed because Connection names them. */
static const char *const end_to_end[] = {
	"authorization",
	"accept",
	"accept-encoding",
	"content-type",
	"content-encoding",
	"user-agent",
	NULL,
};

static bool is_in(struct slice name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (slice_is_nocase(name, *names))
			return true;
	return false;
}

static bool is_impersonation(struct slice name)
{
	return name.len >= 12 &&
	       slice_is_nocase(slice_make(name.data, 12), "impersonate-");
}

static bool is_named_in_connection(const struct header *in, size_t in_n,
				   struct slice name)
{
	for (size_t i = 0; i < in_n; i++) {
		struct slice rest = in[i].value, token;

		if (!slice_is_nocase(in[i].name, "connection"))
			continue;
		while (slice_split(&rest, ',', &token)) {
			token = slice_trim(token);
			if (token.len == name.len &&
			    strncasecmp(token.data, name.data, name.len) == 0)
				return true;
		}
	}
	return false;
}

static bool is_upgrade_field(struct slice name)
{
	return slice_is_nocase(name, "connection") || slice_is_nocase(name, "upgrade");
}

static bool passes(const struct header *in, size_t in_n, struct slice name,
		   const struct headers_rules *rules)
{
	if (rules->keeps_upgrade && is_upgrade_field(name))
		return true;
	if (is_in(name, hop_by_hop))
		return false;
	if (!rules->is_request && is_in(name, said_by_us))
		return false;
	if (rules->strips_encoding && slice_is_nocase(name, "accept-encoding"))
		return false;
	if (rules->strips_authorization && slice_is_nocase(name, "authorization"))
		return false;
	if (is_in(name, end_to_end) || is_impersonation(name))
		return true;
	return !is_named_in_connection(in, in_n, name);
}

size_t headers_pass(const struct header *in, size_t in_n,
		    const struct headers_rules *rules, struct header **out,
		    struct arena *arena)
{
	struct header *passed = arena_alloc(arena, (in_n + 1) * sizeof(*passed));
	size_t n = 0;

	for (size_t i = 0; i < in_n; i++)
		if (passes(in, in_n, in[i].name, rules))
			passed[n++] = in[i];
	*out = passed;
	return n;
}

struct slice headers_get(const struct header *headers, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is_nocase(headers[i].name, name))
			return headers[i].value;
	return slice_make(NULL, 0);
}
