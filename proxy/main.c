/*
 * The command line: run, check, describe.
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proxy/proxy.h"

#define TEXT_BYTES_MAX (1 << 20)

/* Free memory at the heap's end that is kept; single pieces that are not its. */
#define MEMORY_KEPT_BYTES (4 << 20)
#define MEMORY_MAPPED_BYTES (256 << 10)

extern char **environ;

static const char usage[] =
	"Makes an unmodified Kubernetes controller horizontally scalable.\n"
	"\n"
	"Usage:\n"
	"  ringside run FILE [flags]    run a member of the ring that FILE describes\n"
	"  ringside check FILE [flags]  check FILE and say what is wrong with it\n"
	"  ringside describe            print the reference manual of the options\n"
	"\n"
	"Flags:\n";

enum { EXIT_USAGE = 2 };

struct command {
	const char *help;
	const char *version;
	struct arena *arena;
	struct overrides overrides;
	struct overrides_line line;
};

static int fail(const struct err *err, int code)
{
	fprintf(stderr, "ringside: %s\n", err->text);
	return code;
}

static int print(struct buf *text, int rc)
{
	if (rc == 0 && fwrite(text->data, 1, text->len, stdout) != text->len)
		rc = -1;
	if (fflush(stdout) != 0)
		rc = -1;
	buf_finish(text);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int help(const struct command *command)
{
	struct buf text;
	int rc;

	buf_init(&text, TEXT_BYTES_MAX);
	rc = buf_append_text(&text, usage);
	if (rc == 0)
		rc = overrides_help(&text, command->line.flags, command->line.flags_n);
	return print(&text, rc);
}

static int describe(void)
{
	struct buf text;

	buf_init(&text, TEXT_BYTES_MAX);
	return print(&text, config_describe(&text));
}

static int load(const struct command *command, struct config **config, struct err *err)
{
	return config_load(config, command->line.words[1], command->overrides.items,
			   command->overrides.n, err);
}

static int check(const struct command *command)
{
	struct config *config;
	struct err err;

	if (load(command, &config, &err) != 0)
		return fail(&err, EXIT_FAILURE);
	printf("%s: ring %.*s, %d resources, %lld shards\n", command->line.words[1],
	       SLICE_ARGS(config->spec.ring), config->spec.resources_n,
	       (long long)config->member.shards);
	config_destroy(config);
	return EXIT_SUCCESS;
}

/* As many as we may have: each watch is a connection, at times on both sides. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * What a burst of requests used serves the next one: by default the C library gives
 * every 128 KiB back to the kernel, and takes them anew for the next request.
 */
static void keep_memory(void)
{
	(void)mallopt(M_TRIM_THRESHOLD, MEMORY_KEPT_BYTES);
	(void)mallopt(M_MMAP_THRESHOLD, MEMORY_MAPPED_BYTES);
}

static int run(const struct command *command)
{
	struct config *config;
	struct proxy *proxy;
	struct err err;

	if (load(command, &config, &err) != 0)
		return fail(&err, EXIT_FAILURE);
	log_open(STDERR_FILENO, (enum log_level)config->conf.log_level);
	allow_descriptors();
	keep_memory();
	if (proxy_create(&proxy, config, &command->overrides, &err) != 0)
		return fail(&err, EXIT_FAILURE);
	proxy_run(proxy);
	proxy_destroy(proxy);
	return EXIT_SUCCESS;
}

static int dispatch(const struct command *command)
{
	const char *word = command->line.words_n > 0 ? command->line.words[0] : "";
	struct err err;

	if (command->help != NULL)
		return help(command);
	if (command->version != NULL)
		return puts("ringside " RINGSIDE_VERSION) < 0 ? EXIT_FAILURE
							      : EXIT_SUCCESS;
	if (strcmp(word, "run") == 0 && command->line.words_n == 2)
		return run(command);
	if (strcmp(word, "check") == 0 && command->line.words_n == 2)
		return check(command);
	if (strcmp(word, "describe") == 0 && command->line.words_n == 1)
		return describe();
	err_set(&err, 0, "expected 'run FILE', 'check FILE' or 'describe'; see --help");
	return fail(&err, EXIT_USAGE);
}

int main(int argc, char **argv)
{
	struct command command = { 0 };
	const struct overrides_flag flags[] = {
		{ "help", NULL, "Print this text.", &command.help },
		{ "version", NULL, "Print the version.", &command.version },
	};
	struct err err;
	int code;

	(void)argc;
	/* Writes to connections that are gone are errors to handle, not signals. */
	signal(SIGPIPE, SIG_IGN);
	command.arena = arena_create();
	command.line =
		(struct overrides_line){ .argv = argv + 1,
					 .flags = flags,
					 .flags_n = sizeof(flags) / sizeof(*flags) };
	overrides_init(&command.overrides, command.arena);
	overrides_add_environment(&command.overrides, environ);
	if (overrides_add_flags(&command.overrides, &command.line, &err) != 0)
		code = fail(&err, EXIT_USAGE);
	else
		code = dispatch(&command);
	arena_destroy(command.arena);
	return code;
}
