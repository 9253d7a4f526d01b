/*
 * Asks the health URL of the controller beside us, now and then, and notes each good
 * answer among its signs of life (proxy/ring/vitals.h). What no good answer means,
 * membership decides.
 *
 * A good answer is what the kubelet takes for one: any from 200 to 399, whole, before
 * the next question. The URL is on a loopback address, where nobody can
 * stand between; so by https no certificate is verified, and no credentials are sent.
 */
#ifndef RINGSIDE_NET_CHECKUP_H
#define RINGSIDE_NET_CHECKUP_H

#include "proxy/base/err.h"
#include "proxy/base/slice.h"
#include "proxy/net/loop.h"
#include "proxy/ring/vitals.h"

struct checkup;

/*
 * Splits "http://127.0.0.1:8081/healthz" into "http", "127.0.0.1:8081" and "/healthz",
 * which is "/" where there is no path. False where it is no such URL: another scheme,
 * no port, credentials, a fragment, blanks.
 */
struct health_url {
	struct slice scheme, address, target;
};
bool health_url_split(struct health_url *out, const char *url);

/*
 * Asks once checkup_reload has said how often; loop and vitals outlive it, and vitals
 * tell that it does. -EINVAL when the URL makes no sense.
 */
int checkup_create(struct checkup **out, struct loop *loop, struct vitals *vitals,
		   const char *url, struct err *err);
/* NULL is fine. */
void checkup_destroy(struct checkup *checkup);

/*
 * How long the controller may be without a good answer, in which it is asked several
 * times; 0: it is not asked. NULL is fine.
 */
void checkup_reload(struct checkup *checkup, int64_t silence_ms);

#endif
