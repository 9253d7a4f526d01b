#include "proxy/handout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/kubeconfig.h"
#include "proxy/base/file.h"
#include "proxy/base/log.h"

#define RETRY_MS 1000

static int write_kubeconfig(const struct handout *handout, struct err *err)
{
	const struct net_conf *net = handout->net;
	bool is_tls = strcmp(net->https, "off") != 0;
	char *url;
	int rc;

	if (asprintf(&url, "%s://%s", is_tls ? "https" : "http",
		     is_tls ? net->https : net->http) < 0)
		abort();
	rc = kubeconfig_write(net->kubeconfig_out, url, handout->ca_pem,
			      handout->cluster, err);
	free(url);
	return rc;
}

static int write_files(const struct handout *handout, struct err *err)
{
	const struct net_conf *net = handout->net;
	int rc = 0;

	if (net->ca_out[0] != '\0' && handout->ca_pem[0] != '\0')
		rc = file_replace(net->ca_out, slice_of(handout->ca_pem), 0644, err);
	if (rc == 0 && net->kubeconfig_out[0] != '\0')
		rc = write_kubeconfig(handout, err);
	return rc;
}

static void on_timer(void *arg)
{
	struct handout *handout = arg;
	struct err err;

	if (write_files(handout, &err) == 0) {
		handout->is_done = true;
		if (handout->is_told)
			log_info("proxy", "the controller's files are written now");
		return;
	}
	if (!handout->is_told)
		log_error("proxy",
			  "a file for the controller could not be written; we are not "
			  "ready, and try again",
			  log_text("reason", err.text));
	handout->is_told = true;
	loop_timer_start(handout->loop, &handout->timer, RETRY_MS);
}

void handout_start(struct handout *handout, struct loop *loop,
		   const struct net_conf *net, const struct cluster *cluster,
		   char *ca_pem)
{
	*handout = (struct handout){ .loop = loop,
				     .net = net,
				     .cluster = cluster,
				     .ca_pem = ca_pem != NULL ? ca_pem : strdup("") };
	if (handout->ca_pem == NULL)
		abort();
	loop_timer_init(&handout->timer, on_timer, handout);
	on_timer(handout);
}

void handout_finish(struct handout *handout)
{
	if (handout->loop != NULL)
		loop_timer_stop(&handout->timer);
	free(handout->ca_pem);
	*handout = (struct handout){ 0 };
}
