/*
 * SipHash-2-4: a hash with a secret key, so that an outsider who chooses the
 * names cannot choose the collisions. For tables in memory only; what must be
 * the same in every member is hashed in proxy/ring.
 *
 * Jean-Philippe Aumasson, Daniel J. Bernstein: "SipHash: a fast short-input
 * PRF", 2012.
 */
#ifndef RINGSIDE_BASE_SIPHASH_H
#define RINGSIDE_BASE_SIPHASH_H

#include "proxy/base/slice.h"

uint64_t siphash(const uint64_t key[2], struct slice bytes);

#endif
