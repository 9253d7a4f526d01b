/*
 * Loads configs from texts. MINIMAL stands in front of what a test adds: its
 * lines are 1 and 2.
 */
#ifndef RINGSIDE_UNIT_CONFIG_LOADING_H
#define RINGSIDE_UNIT_CONFIG_LOADING_H

#include "config/config.h"
#include "tests/unit/scratch.h"

#define MINIMAL \
	"ring: foos\n" \
	"resources: [{resource: pods}]\n"

static struct config *config;
static struct err err;

/* Loads what stands in the text, as r.yaml; a former config is destroyed. */
static inline int load_over(const char *text, const struct config_override *overrides,
			    size_t overrides_n)
{
	int rc;

	config_destroy(config);
	config = NULL;
	err.text[0] = '\0';
	scratch_enter();
	scratch_write("r.yaml", text);
	rc = config_load(&config, "r.yaml", overrides, overrides_n, &err);
	scratch_leave();
	ck_assert_msg((rc == 0) == !!config, "an output only on success");
	return rc;
}

static inline int load(const char *text)
{
	return load_over(text, NULL, 0);
}

static inline void load_whole(const char *text)
{
	int rc = load(text);

	ck_assert_msg(rc == 0, "'%s' gives %s", text, err.text);
}

static inline void unload(void)
{
	config_destroy(config);
	config = NULL;
}

/* A text that is refused, and how. */
struct refusal {
	const char *text;
	const char *message;
};

static inline void check_refusals(const struct refusal *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int rc = load(cases[i].text);

		ck_assert_msg(rc == -22 /* EINVAL */, "'%s' gives %d", cases[i].text,
			      rc);
		ck_assert_str_eq(err.text, cases[i].message);
	}
}

#endif
