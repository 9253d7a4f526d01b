#include <stdlib.h>
#include <unistd.h>

#include "config/base64.h"
#include "config/config.h"
#include "config/kubeconfig.h"
#include "tests/fuzz/fuzz.h"

/* The ring's file, and a kubeconfig: both are read from files alone. */
void fuzz_one(struct arena *arena, struct slice input)
{
	char path[] = "/tmp/ringside-fuzz-XXXXXX";
	int fd = mkstemp(path);
	struct cluster cluster;
	struct config *config;
	struct err err = { "" };
	struct slice text;

	FUZZ_ASSERT(fd >= 0 && write(fd, input.data, input.len) == (ssize_t)input.len);
	close(fd);
	if (config_load(&config, path, NULL, 0, &err) == 0)
		config_destroy(config);
	else
		FUZZ_ASSERT(err.text[0] != '\0');
	err.text[0] = '\0';
	if (kubeconfig_load(&cluster, arena, path, "", &err) != 0)
		FUZZ_ASSERT(err.text[0] != '\0');
	unlink(path);
	if (base64_decode(&text, arena, input) == 0)
		FUZZ_ASSERT(text.len <= input.len);
}
