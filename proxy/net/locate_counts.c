#include "proxy/net/locate.h"

#define LOOK_UPS "ringside_locate_total"

const struct metric locator_metrics[] = {
	[LOCATOR_KNOWN] = { LOOK_UPS, "result=\"known\"", METRIC_COUNTER,
			    "Where an object belongs: known, or asked of the API "
			    "server." },
	[LOCATOR_KNOWN_AGED] = { LOOK_UPS, "result=\"aged\"", METRIC_COUNTER, NULL },
	[LOCATOR_JOINED] = { LOOK_UPS, "result=\"joined\"", METRIC_COUNTER, NULL },
	[LOCATOR_FETCHED_NEW] = { LOOK_UPS, "result=\"fetched\",reason=\"new\"",
				  METRIC_COUNTER, NULL },
	[LOCATOR_FETCHED_OLD] = { LOOK_UPS, "result=\"fetched\",reason=\"old\"",
				  METRIC_COUNTER, NULL },
	[LOCATOR_FETCHED_REUSED] = { LOOK_UPS, "result=\"fetched\",reason=\"reused\"",
				     METRIC_COUNTER, NULL },
};
