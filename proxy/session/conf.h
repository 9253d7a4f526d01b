/*
 * What can be configured about open watches and changes of view.
 */
#ifndef RINGSIDE_SESSION_CONF_H
#define RINGSIDE_SESSION_CONF_H

#include "proxy/base/opt.h"

struct session_conf {
	int64_t min_age_ms;
	int64_t list_timeout_ms;
	int64_t settle_timeout_ms;
	int64_t session_timeout_ms;
};

extern const struct opt session_options[];
extern const size_t session_options_n;

#endif
