#include "proxy/kube/field.h"

#include "tests/unit/kube/rows.h"

START_TEST(field_requires_finds_what_the_api_server_finds)
{
	static const struct {
		const char *selector;
		const char *value; /* NULL: none */
	} rows[] = {
		{ "", NULL },
		{ ",", NULL },
		{ "metadata.name=a", "a" },
		{ "metadata.name==a", "a" },
		{ "metadata.name!=a", NULL },
		{ "metadata.name=", "" },
		{ "metadata.namespace=a", NULL },
		{ " metadata.name=a", NULL },
		{ "metadata.name= a", " a" },
		{ "status.phase!=x,metadata.name=a", "a" },
		{ "metadata.name=a,status.phase=x,", "a" },
		{ ",,metadata.name=a", "a" },
		{ "metadata.name!=b,metadata.name=a", "a" },
		{ "!metadata.name=a", NULL },
		/* Terms are sorted as texts first, and "==z" is less than "=a". */
		{ "metadata.name=b,metadata.name=a", "a" },
		{ "metadata.name=ab,metadata.name=a", "a" },
		{ "metadata.name=a,metadata.name=ab", "a" },
		{ "metadata.name=ab,metadata.name=b", "ab" },
		{ "metadata.name=a,metadata.name==z", "z" },
		/* Escapes. */
		{ "metadata.name=a\\,b\\=c\\\\d", "a,b=c\\d" },
		{ "metadata.name=a\\\\,x=y", "a\\" },
		{ "x=\\,metadata.name=a", NULL },
		/* One term that cannot be read spoils the selector. */
		{ "metadata.name=a,b", NULL },
		{ "metadata.name", NULL },
		{ "metadata.name=a=b", NULL },
		{ "metadata.name=a\\x", NULL },
		{ "metadata.name=a\\", NULL },
		{ "metadata.name=a,x=\\y", NULL },
		{ "metadata.name===a", NULL },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct slice value = SLICE_LITERAL("unchanged");
		bool is_there = field_requires(arena, slice_of(rows[i].selector),
					       "metadata.name", &value);

		ck_row(rows[i].selector, is_there == (rows[i].value != NULL));
		ck_row_slice(rows[i].selector, value,
			     is_there ? rows[i].value : "unchanged");
		arena_destroy(arena);
	}
}
END_TEST

UNIT_MAIN("kube/field", field_requires_finds_what_the_api_server_finds)
