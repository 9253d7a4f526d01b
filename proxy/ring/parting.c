#include "proxy/ring/parting.h"

enum parting parting_decide(const struct parting_facts *facts)
{
	/* Without the lock whoever comes back waits until our Lease has run out. */
	if (facts->mode == PARTING_MODE_RELEASE || !facts->holds_lock)
		return PARTING_RELEASE;
	if (facts->mode == PARTING_MODE_KEEP)
		return PARTING_KEEP;
	if (facts->connections == 0)
		return PARTING_RELEASE;
	return facts->now_ms < facts->asked_ms + PARTING_WAIT_MS ? PARTING_WAIT
								 : PARTING_KEEP;
}
