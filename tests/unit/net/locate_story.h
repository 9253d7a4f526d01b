/*
 * Questions to a locator before a fake API server, and what is answered.
 */
#ifndef RINGSIDE_UNIT_NET_LOCATE_STORY_H
#define RINGSIDE_UNIT_NET_LOCATE_STORY_H

#include <stdio.h>

#include "proxy/net/locate.h"
#include "tests/unit/net/fake_ring.h"

#define FOO_LINE "GET /apis/g/v1/namespaces/ns/foos/f"
#define DEPLOYMENT_LINE "GET /apis/apps/v1/namespaces/ns/deployments/d"
#define REPLICASET_LINE "GET /apis/apps/v1/namespaces/ns/replicasets/r"
#define OBJECT(name, uid, rest) \
	"{\"kind\":\"PartialObjectMetadata\",\"metadata\":{\"name\":\"" name \
	"\",\"namespace\":\"ns\",\"uid\":\"" uid "\"" rest "}}"
#define LABEL(value) ",\"labels\":{\"bucket.ringside.dev/r\":\"" value "\"}"
#define OWNER(version, kind, name, uid) \
	",\"ownerReferences\":[{\"apiVersion\":\"" version "\",\"kind\":\"" kind \
	"\",\"name\":\"" name "\",\"uid\":\"" uid "\",\"controller\":true}]"
#define OF_FOO OWNER("g/v1", "Foo", "f", "uf")
#define OF_DEPLOYMENT OWNER("apps/v1", "Deployment", "d", "ud")
#define NOT_FOUND(name) \
	"{\"kind\":\"Status\",\"reason\":\"NotFound\",\"code\":404," \
	"\"message\":\"not found\",\"details\":{\"name\":\"" name "\"}}"

struct story {
	struct fake_ring ring;
	struct fake_api *fake;
	struct locator *locator;
};

/* An answer that is to come. */
struct reply {
	bool is_there;
	struct evidence evidence;
	bool is_failed;
	char failure[512];
};

static inline void on_done(void *arg, struct evidence evidence,
			   const struct err *failure)
{
	struct reply *reply = arg;

	ck_assert(!reply->is_there);
	reply->is_there = true;
	reply->evidence = evidence;
	reply->is_failed = failure != NULL;
	if (failure != NULL)
		snprintf(reply->failure, sizeof(reply->failure), "%s", failure->text);
}

static inline void story_begin_unknown(struct story *story)
{
	fake_ring_init(&story->ring);
	story->fake = story->ring.fake;
	story->locator = locator_create(&story->fake->api, story->ring.catalog,
					&story->ring.spec);
}

static inline void story_begin(struct story *story)
{
	story_begin_unknown(story);
	fake_ring_learn(&story->ring);
}

static inline void story_end(struct story *story)
{
	locator_destroy(story->locator);
	fake_ring_finish(&story->ring);
}

static inline struct locate_call *ask(struct story *story, struct reply *reply,
				      int resource, const char *name, const char *uid)
{
	struct locate_question question = {
		.resource = &story->ring.spec.resources[resource],
		.namespace = SLICE_LITERAL("ns"),
		.name = slice_of(name),
		.uid = slice_of(uid)
	};
	struct locate_call *call;

	*reply = (struct reply){ .is_there = false };
	call = locate_object(story->locator, &question, on_done, reply);
	ck_assert_msg(!reply->is_there, "answered from inside the question");
	return call;
}

/* The question about an owned object whose metadata is at hand. */
static inline void ask_owner(struct story *story, struct reply *reply,
			     const struct owner_reference *owner, bool is_planned)
{
	struct object_meta meta = { .owners = owner, .owners_n = owner != NULL };
	struct owned owned = { .resource = &story->ring.spec.resources[DEPLOYMENTS],
			       .namespace = slice_of("ns"),
			       .meta = &meta };

	*reply = (struct reply){ .is_there = false };
	(is_planned ? locate_owner_planned : locate_owner)(story->locator, &owned,
							   on_done, reply);
	ck_assert_msg(!reply->is_there, "answered from inside the question");
}

static const struct owner_reference foo_owner = { SLICE_LITERAL("g/v1"),
						  SLICE_LITERAL("Foo"),
						  SLICE_LITERAL("f"),
						  SLICE_LITERAL("uf"), true };

static inline void expect_placed(struct story *story, struct reply *reply,
				 enum placement_known known, int bucket)
{
	fake_run_until(story->fake, &reply->is_there);
	ck_assert_msg(!reply->is_failed, "failed: %s", reply->failure);
	ck_assert_int_eq(reply->evidence.known, known);
	if (known == PLACED_AT)
		ck_assert_int_eq(reply->evidence.bucket, bucket);
}

static inline void expect_failed(struct story *story, struct reply *reply,
				 const char *part)
{
	fake_run_until(story->fake, &reply->is_there);
	ck_assert(reply->is_failed);
	ck_assert_int_eq(reply->evidence.known, PLACED_UNKNOWN);
	ck_assert_msg(strstr(reply->failure, part) != NULL, "'%s' not in '%s'", part,
		      reply->failure);
}

static inline void answer(struct story *story, const char *line, const char *object)
{
	fake_answer(fake_expect(story->fake, line), 200, object);
}

#endif
