#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "proxy/net/listen.h"
#include "tests/unit/unit.h"

START_TEST(listen_takes_numbers_and_names_of_both_families)
{
	static const char *const addresses[] = { "127.0.0.1:0", "[::1]:0",
						 "localhost:0" };

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct err err = { "" };
		int fd = listen_on(addresses[i], &err);

		ck_assert_msg(fd >= 0, "%s: %s", addresses[i], err.text);
		ck_assert_int_gt(listen_port(fd), 0);
		close(fd);
	}
}
END_TEST

START_TEST(listen_makes_a_descriptor_that_neither_blocks_nor_is_inherited)
{
	struct err err;
	int fd = listen_on("127.0.0.1:0", &err);

	ck_assert_int_ge(fd, 0);
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}
END_TEST

START_TEST(listen_says_what_an_address_looks_like)
{
	static const char *const nonsense[] = {
		"",        "127.0.0.1", "127.0.0.1:", ":1",           "127.0.0.1:65536",
		"[::1]",   "::1:80",    "[]:80",      "127.0.0.1:1x", "127.0.0.1:-1",
		"[::1:80",
	};

	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		struct err err = { "" };

		ck_assert_msg(listen_on(nonsense[i], &err) == -EINVAL, "%s",
			      nonsense[i]);
		ck_assert_ptr_nonnull(strstr(err.text, "[::1]:8443"));
	}
}
END_TEST

START_TEST(listen_says_that_an_address_is_taken)
{
	struct err err = { "" };
	char address[32];
	int fd = listen_on("127.0.0.1:0", &err);

	snprintf(address, sizeof(address), "127.0.0.1:%d", listen_port(fd));
	ck_assert_int_eq(listen_on(address, &err), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(err.text, address));
	close(fd);
}
END_TEST

UNIT_MAIN("net/listen", listen_takes_numbers_and_names_of_both_families,
	  listen_makes_a_descriptor_that_neither_blocks_nor_is_inherited,
	  listen_says_what_an_address_looks_like, listen_says_that_an_address_is_taken)
