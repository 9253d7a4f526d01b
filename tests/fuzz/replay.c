/* Runs files through a fuzzer, without libFuzzer: the corpora, in `make unit`. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define FILE_BYTES_MAX (1 << 20)

static void run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *bytes = malloc(FILE_BYTES_MAX);
	struct arena *arena = arena_create();
	size_t n;

	if (file == NULL || bytes == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	n = fread(bytes, 1, FILE_BYTES_MAX, file);
	fclose(file);
	bytes = realloc(bytes, n > 0 ? n : 1);
	fuzz_one(arena, slice_make(bytes, n));
	arena_destroy(arena);
	free(bytes);
}

/* How many files there are in it. */
static int run_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[4096];
	int n = 0;

	if (dir == NULL) {
		perror(folder);
		exit(EXIT_FAILURE);
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		run_file(path);
		n++;
	}
	closedir(dir);
	return n;
}

/* The corpus is named like the program: build/unit/fuzz/fuzz_<name>. */
int main(int argc, char **argv)
{
	const char *name = strstr(argv[0], "fuzz_");
	char folder[256];
	int n;

	(void)argc;
	snprintf(folder, sizeof(folder), "tests/fuzz/corpus/%s",
		 name != NULL ? name + 5 : "");
	n = run_folder(folder);
	printf("fuzz/%s: %d inputs\n", folder + 18, n);
	return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
