#include "filters/filter.h"

unsigned filter_chain_wants(const struct filter *const *chain,
			    const struct filter_call *call)
{
	unsigned needs = FILTER_NEEDS_NOTHING;

	for (; *chain; chain++)
		if ((*chain)->wants)
			needs |= (*chain)->wants(call);
	return needs;
}

enum filter_verdict filter_chain_on_request(const struct filter *const *chain,
					    struct filter_call *call)
{
	for (; *chain; chain++)
		if ((*chain)->on_request && (*chain)->on_request(call) == FILTER_REPLY)
			return FILTER_REPLY;
	return FILTER_PASS;
}

enum filter_verdict filter_chain_on_send(const struct filter *const *chain,
					 struct filter_call *call)
{
	for (; *chain; chain++)
		if ((*chain)->on_send && (*chain)->on_send(call) == FILTER_REPLY)
			return FILTER_REPLY;
	return FILTER_PASS;
}
