#include "tests/unit/net/fake_ring.h"

#define VERSION "{\"groupVersion\":\"g/v1\",\"version\":\"v1\"}"
#define GROUP \
	"{\"kind\":\"APIGroup\",\"name\":\"g\",\"versions\":[" VERSION \
	"],\"preferredVersion\":" VERSION "}"
#define RESOURCE(name, kind) \
	"{\"name\":\"" name "\",\"kind\":\"" kind "\",\"namespaced\":true," \
	"\"verbs\":[\"watch\",\"patch\"]}"

static const char resources[] =
	"{\"kind\":\"APIResourceList\",\"groupVersion\":\"g/v1\",\"resources\":["
	/* Of both groups at once: who asks picks. */
	RESOURCE("foos", "Foo") "," RESOURCE("deployments", "Deployment") "," RESOURCE(
		"replicasets", "ReplicaSet") "]}";

static void add_resource(struct ring_spec *spec, const char *group,
			 const char *resource, enum resource_role role, int owner)
{
	int i = spec->resources_n++;

	spec->resources[i] = (struct ring_resource){ .group = slice_of(group),
						     .resource = slice_of(resource),
						     .role = role,
						     .owner = owner,
						     .index = i };
}

void fake_ring_init(struct fake_ring *ring)
{
	*ring = (struct fake_ring){ .fake = fake_create(), .arena = arena_create() };
	ring->spec = (struct ring_spec){ .ring = SLICE_LITERAL("r"), .buckets = 256 };
	add_resource(&ring->spec, "g", "foos", RESOURCE_MAIN, -1);
	add_resource(&ring->spec, "apps", "deployments", RESOURCE_OWNED, FOOS);
	add_resource(&ring->spec, "apps", "replicasets", RESOURCE_OWNED, FOOS);
	ring_spec_seal(&ring->spec, ring->arena);
	ring->catalog = catalog_create(&ring->fake->api, &ring->spec, NULL, NULL);
}

void fake_ring_finish(struct fake_ring *ring)
{
	catalog_destroy(ring->catalog);
	fake_destroy(ring->fake);
	arena_destroy(ring->arena);
}

void fake_ring_learn(struct fake_ring *ring)
{
	fake_answer(fake_expect(ring->fake, "GET /apis/g"), 200, GROUP);
	fake_answer(fake_expect(ring->fake, "GET /apis/apps"), 200, GROUP);
	fake_answer(fake_expect(ring->fake, "GET /apis/apps"), 200, GROUP);
	fake_answer(fake_expect(ring->fake, "GET /apis/g/v1"), 200, resources);
	fake_answer(fake_expect(ring->fake, "GET /apis/apps/v1"), 200, resources);
	fake_answer(fake_expect(ring->fake, "GET /apis/apps/v1"), 200, resources);
	fake_settle(ring->fake);
	ck_assert(catalog_is_complete(ring->catalog));
}
