/*
 * A libcurl multi handle on our loop: its sockets and its timer. Whoever owns
 * one is called back after libcurl did some work, never from inside it.
 */
#ifndef RINGSIDE_NET_CURL_LOOP_H
#define RINGSIDE_NET_CURL_LOOP_H

#include <curl/curl.h>

#include "proxy/net/loop.h"

struct curl_loop {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer timer;
	struct loop_task kick; /* a timeout of zero: soon, without the timer */
	void (*on_work)(void *arg);
	void *arg;
};

void curl_loop_init(struct curl_loop *curl, struct loop *loop,
		    void (*on_work)(void *arg), void *arg);

/* All easy handles have been removed before. */
void curl_loop_finish(struct curl_loop *curl);

#endif
