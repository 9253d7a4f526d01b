/* From a file and what is laid over it to a checked config. */
#include <errno.h>

#include "config/check.h"
#include "config/fields.h"
#include "config/suggest.h"
#include "config/tables.h"
#include "proxy/base/file.h"

static int load_option(struct loader *loader, size_t number, const struct node *node,
		       struct err *err)
{
	struct slice text = node->is_null ? slice_make(NULL, 0) : node->text;
	struct err reason;
	int rc = node_expect(node, NODE_SCALAR, err);

	if (rc < 0)
		return rc;
	if (tables_set(loader->config, number, text, &reason) < 0)
		return place_error(&node->place, err, "%s: %s",
				   tables_option(number, NULL)->name, reason.text);
	loader->origins[number] = arena_printf(loader->scratch, "%s:%d:%d",
					       node->place.file, node->place.line,
					       node->place.column);
	return 0;
}

/* Whether there are options below path: "lease" of "lease.duration". */
static bool is_mapping_of_options(struct slice path)
{
	const struct opt *row;

	for (size_t i = 0; (row = tables_option(i, NULL)); i++)
		if (strncmp(row->name, path.data, path.len) == 0 &&
		    row->name[path.len] == '.')
			return true;
	return false;
}

/* Whether a row before this one has the key: two modules may share a section. */
static bool is_offered(const char *prefix, struct slice key, size_t before)
{
	for (size_t i = 0; i < before; i++) {
		struct slice rest = slice_of(tables_option(i, NULL)->name), other;

		if (!slice_starts_with(rest, prefix))
			continue;
		rest = slice_from(rest, strlen(prefix));
		slice_split(&rest, '.', &other);
		if (slice_eq(other, key))
			return true;
	}
	return false;
}

/* Offers what may stand below prefix: "lease." has "duration", "renew", ... */
static void offer_keys(struct suggest *suggest, const char *prefix)
{
	const struct opt *row;

	for (size_t i = 0; prefix[0] == '\0' && i < ring_fields_n; i++) {
		struct slice name = slice_of(ring_fields[i].name);

		suggest_offer(suggest, name, name);
	}
	for (size_t i = 0; (row = tables_option(i, NULL)); i++) {
		struct slice rest = slice_of(row->name), key;

		if (!slice_starts_with(rest, prefix))
			continue;
		rest = slice_from(rest, strlen(prefix));
		slice_split(&rest, '.', &key);
		if (!is_offered(prefix, key, i))
			suggest_offer(suggest, key, key);
	}
}

/* Offers the full name of the option whose last part it may be. */
static void offer_elsewhere(struct suggest *suggest)
{
	const struct opt *row;

	for (size_t i = 0; (row = tables_option(i, NULL)); i++) {
		const char *dot = strrchr(row->name, '.');

		suggest_offer(suggest, slice_of(dot ? dot + 1 : row->name),
			      slice_of(row->name));
	}
}

static int refuse_key(const struct node *node, const char *prefix, struct err *err)
{
	struct suggest here, elsewhere;
	bool is_elsewhere;

	if (slice_find(node->key, '.') >= 0)
		return place_error(&node->key_place, err,
				   "unknown key '%.*s': a dot is written as a mapping "
				   "in a mapping",
				   SLICE_ARGS(node->key));
	suggest_init(&here, node->key);
	suggest_init(&elsewhere, node->key);
	offer_keys(&here, prefix);
	offer_elsewhere(&elsewhere);
	is_elsewhere = here.best.len == 0 && elsewhere.best.len > 0;
	return place_error(&node->key_place, err, "unknown key '%s%.*s'%s", prefix,
			   SLICE_ARGS(node->key),
			   suggest_text(is_elsewhere ? &elsewhere : &here));
}

/* prefix: where the mapping stands, "" or "lease.". */
static int load_options(struct loader *loader, const struct node *mapping,
			const char *prefix, struct err *err)
{
	int rc = node_expect(mapping, NODE_MAPPING, err);

	for (const struct node *node = mapping->first; node && rc == 0;
	     node = node->next) {
		struct slice path = slice_of(arena_printf(
			loader->scratch, "%s%.*s", prefix, SLICE_ARGS(node->key)));
		bool is_dotted = slice_find(node->key, '.') >= 0;
		size_t number = tables_find(path);

		if (!prefix[0] && fields_find(ring_fields, ring_fields_n, node->key))
			continue;
		if (!is_dotted && number < tables_count())
			rc = load_option(loader, number, node, err);
		else if (!is_dotted && is_mapping_of_options(path))
			rc = load_options(
				loader, node,
				arena_printf(loader->scratch, "%s.", path.data), err);
		else
			rc = refuse_key(node, prefix, err);
	}
	return rc;
}

static int load_file(struct loader *loader, struct err *err)
{
	struct slice text;
	struct node *root;
	int rc;

	rc = file_read(&text, loader->scratch, loader->config->file, CONFIG_BYTES_MAX,
		       err);
	if (rc == 0)
		rc = node_parse(&root, loader->scratch, loader->config->file, text,
				err);
	if (rc == 0)
		rc = load_options(loader, root, "", err);
	if (rc == 0)
		rc = fields_load(ring_fields, ring_fields_n, loader, root, err);
	return rc;
}

static int apply_override(struct loader *loader, const struct config_override *override,
			  struct err *err)
{
	size_t number = tables_find(slice_of(override->option));
	int rc;

	if (number == tables_count())
		return err_set(err, -EINVAL, "%s: there is no option '%s'",
			       override->source, override->option);
	rc = tables_set(loader->config, number, slice_of(override->value), err);
	if (rc < 0)
		return err_wrap(err, rc, "%s", override->source);
	loader->origins[number] = override->source;
	return 0;
}

static struct config *config_create(const char *file)
{
	struct arena *arena = arena_create();
	struct config *config = arena_alloc(arena, sizeof(*config));

	config->arena = arena;
	config->file = arena_text(arena, slice_of(file));
	tables_set_defaults(config);
	return config;
}

int config_load(struct config **out, const char *file,
		const struct config_override *overrides, size_t overrides_n,
		struct err *err)
{
	struct loader loader = { .config = config_create(file),
				 .scratch = arena_create() };
	int rc;

	loader.origins =
		arena_alloc(loader.scratch, tables_count() * sizeof(*loader.origins));
	ring_fields_set_defaults(&loader);
	rc = load_file(&loader, err);
	for (size_t i = 0; i < overrides_n && rc == 0; i++)
		rc = apply_override(&loader, &overrides[i], err);
	if (rc == 0)
		rc = check_config(&loader, err);
	arena_destroy(loader.scratch);
	if (rc < 0) {
		config_destroy(loader.config);
		return rc;
	}
	ring_spec_seal(&loader.config->spec, loader.config->arena);
	*out = loader.config;
	return 0;
}

void config_destroy(struct config *config)
{
	if (config)
		arena_destroy(config->arena);
}
