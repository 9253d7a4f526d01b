#include "config/check.h"

#include <arpa/inet.h>
#include <errno.h>

#include "config/names.h"
#include "config/tables.h"
#include "proxy/base/units.h"
#include "proxy/net/checkup.h"

#define DURATION_BYTES 32

/*
 * Where option a was set, else where option b was (b may be NULL): the file's
 * line, a flag, an environment variable; else just the file.
 */
static const char *origin(const struct loader *loader, const char *a, const char *b)
{
	const char *at = loader->origins[tables_find(slice_of(a))];

	if (!at && b)
		at = loader->origins[tables_find(slice_of(b))];
	return at ? at : loader->config->file;
}

static const char *duration_text(char out[DURATION_BYTES], int64_t ms)
{
	struct buf buf;

	buf_init(&buf, DURATION_BYTES - 1);
	out[0] = '\0';
	if (units_write_duration(&buf, ms) == 0) {
		memcpy(out, buf.data, buf.len);
		out[buf.len] = '\0';
	}
	buf_finish(&buf);
	return out;
}

static int check_renew(const struct loader *loader, struct err *err)
{
	const struct member_conf *conf = &loader->config->member;
	char renew[DURATION_BYTES], duration[DURATION_BYTES];

	if (conf->lease_renew_ms <= conf->lease_duration_ms / 3)
		return 0;
	return err_set(err, -EINVAL,
		       "%s: lease.renew is %s: expected at most a third of "
		       "lease.duration, which is %s",
		       origin(loader, "lease.renew", "lease.duration"),
		       duration_text(renew, conf->lease_renew_ms),
		       duration_text(duration, conf->lease_duration_ms));
}

/*
 * The right to write ends margin before the Lease does, counted from the last
 * renewal that came through. The one after a lost renewal is sent two periods
 * later and must still be in time.
 */
static int check_margin(const struct loader *loader, struct err *err)
{
	const struct member_conf *conf = &loader->config->member;
	int64_t room_ms = conf->lease_duration_ms - 2 * conf->lease_renew_ms;
	char margin[DURATION_BYTES], room[DURATION_BYTES];

	if (conf->lease_margin_ms < room_ms)
		return 0;
	return err_set(err, -EINVAL,
		       "%s: lease.margin is %s: expected less than lease.duration "
		       "without two lease.renew, which is %s; otherwise one lost "
		       "renewal would stop the member's writes",
		       origin(loader, "lease.margin", "lease.duration"),
		       duration_text(margin, conf->lease_margin_ms),
		       duration_text(room, room_ms));
}

static int check_shards(const struct loader *loader, struct err *err)
{
	const struct config *config = loader->config;

	if (config->member.shards <= config->spec.buckets)
		return 0;
	return err_set(err, -EINVAL,
		       "%s: shards is %lld: expected at most the %d buckets",
		       origin(loader, "shards", NULL), (long long)config->member.shards,
		       config->spec.buckets);
}

static int check_label(const struct loader *loader, const char *option,
		       const char *value, struct err *err)
{
	if (value[0] == '\0' || is_dns_label(slice_of(value)))
		return 0;
	return err_set(err, -EINVAL, "%s: %s: expected " DNS_LABEL_RULE,
		       origin(loader, option, NULL), option);
}

static int check_names(const struct loader *loader, struct err *err)
{
	const struct member_conf *conf = &loader->config->member;
	int rc = check_label(loader, "member", conf->id, err);

	return rc < 0 ? rc : check_label(loader, "namespace", conf->namespace, err);
}

static bool is_off(const char *address)
{
	return strcmp(address, "off") == 0;
}

static int check_listeners(const struct loader *loader, struct err *err)
{
	const struct net_conf *conf = &loader->config->net;

	if (!is_off(conf->https) || !is_off(conf->http))
		return 0;
	return err_set(err, -EINVAL,
		       "%s: listen.https and listen.http are both off: the controller "
		       "needs one of them",
		       origin(loader, "listen.https", "listen.http"));
}

/* address: host:port. */
static bool is_loopback(struct slice address)
{
	char host[INET6_ADDRSTRLEN];
	struct in6_addr v6;
	struct in_addr v4;
	size_t len = address.len;

	while (len > 0 && address.data[len - 1] != ':')
		len--;
	len -= len > 0;
	if (len > 2 && address.data[0] == '[') {
		address.data++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return false;
	if (len > 0)
		memcpy(host, address.data, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return strcmp(host, "localhost") == 0;
}

static int check_loopback(const struct loader *loader, const char *option,
			  const char *address, struct err *err)
{
	if (is_off(address) || is_loopback(slice_of(address)))
		return 0;
	return err_set(err, -EINVAL,
		       "%s: %s: expected a loopback address such as 127.0.0.1:7443: "
		       "the proxy serves one replica, beside it, and everyone else "
		       "could write past the fence of their own",
		       origin(loader, option, NULL), option);
}

static int check_addresses(const struct loader *loader, struct err *err)
{
	const struct net_conf *conf = &loader->config->net;
	int rc = check_loopback(loader, "listen.https", conf->https, err);

	return rc < 0 ? rc : check_loopback(loader, "listen.http", conf->http, err);
}

static int check_health(const struct loader *loader, struct err *err)
{
	const char *url = loader->config->net.health;
	struct health_url parts;

	if (url[0] == '\0' ||
	    (health_url_split(&parts, url) && is_loopback(parts.address)))
		return 0;
	return err_set(err, -EINVAL,
		       "%s: controller.health: expected an http or https URL on a "
		       "loopback address, with its port, such as "
		       "http://127.0.0.1:8081/healthz: the controller is beside the "
		       "proxy",
		       origin(loader, "controller.health", NULL));
}

static int check_tls(const struct loader *loader, struct err *err)
{
	const struct net_conf *conf = &loader->config->net;

	if ((conf->certificate[0] == '\0') == (conf->key[0] == '\0'))
		return 0;
	return err_set(
		err, -EINVAL,
		"%s: tls.certificate and tls.key belong together: expected both "
		"or none",
		origin(loader, conf->key[0] ? "tls.key" : "tls.certificate", NULL));
}

/* An object that is renamed cannot be sharded, too. */
static int check_locks(const struct loader *loader, struct err *err)
{
	const struct ring_spec *spec = &loader->config->spec;

	for (int i = 0; i < spec->resources_n && spec->locks_n > 0; i++)
		if (ring_lock_is_kind(spec->resources[i].group,
				      spec->resources[i].resource))
			return place_error(&loader->places[i], err,
					   "leases of coordination.k8s.io cannot be a "
					   "resource of a ring that has locks");
	return 0;
}

int check_config(const struct loader *loader, struct err *err)
{
	static int (*const checks[])(const struct loader *, struct err *) = {
		check_renew,  check_margin,    check_shards,
		check_names,  check_listeners, check_addresses,
		check_health, check_tls,       check_locks,
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]) && rc == 0; i++)
		rc = checks[i](loader, err);
	return rc;
}
