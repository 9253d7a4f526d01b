#include "proxy/session/conf.h"

#define ROW(field) .offset = offsetof(struct session_conf, field)

const struct opt session_options[] = {
	{ .name = "session.minAge",
	  .type = OPT_DURATION,
	  ROW(min_age_ms),
	  .min = 0,
	  .max = 60000,
	  .value = "2s",
	  .reload = true,
	  .help = "A watch without events is not ended younger than this: client-go "
		  "takes one that ends within 1s for an error, fabric8 2s." },
	{ .name = "session.listTimeout",
	  .type = OPT_DURATION,
	  ROW(list_timeout_ms),
	  .min = 100,
	  .max = 600000,
	  .value = "10s",
	  .reload = true,
	  .help = "How long a LIST under way may hold up a change of view before it is "
		  "aborted." },
	{ .name = "handover.settleTimeout",
	  .type = OPT_DURATION,
	  ROW(settle_timeout_ms),
	  .min = 0,
	  .max = 60000,
	  .value = "5s",
	  .reload = true,
	  .help = "How long a change of view may wait until the clients of the last "
		  "one stand in its view. One that has not arrived when the view "
		  "changes again lists anew." },
	{ .name = "handover.sessionTimeout",
	  .type = OPT_DURATION,
	  ROW(session_timeout_ms),
	  .min = 100,
	  .max = 600000,
	  .value = "5s",
	  .reload = true,
	  .help = "How long a watch whose client reads nothing may hold up a change "
		  "of view, or keep what has left from being acknowledged, before it "
		  "is cut; one whose client goes on reading, twelve times as long." },
};

const size_t session_options_n = sizeof(session_options) / sizeof(session_options[0]);
