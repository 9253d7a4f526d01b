#include "config/names.h"

#include "proxy/ring/bucket.h"

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_dns_label(struct slice name)
{
	if (name.len == 0 || name.len > DNS_LABEL_BYTES_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!is_alphanumeric(name.data[i]) && name.data[i] != '-')
			return false;
	return is_alphanumeric(name.data[0]) &&
	       is_alphanumeric(name.data[name.len - 1]);
}

bool is_dns_subdomain(struct slice name)
{
	struct slice label;

	if (name.len == 0 || name.len > DNS_SUBDOMAIN_BYTES_MAX ||
	    name.data[name.len - 1] == '.')
		return false;
	while (slice_split(&name, '.', &label))
		if (!is_dns_label(label))
			return false;
	return true;
}

static bool is_label_name(struct slice name)
{
	if (name.len == 0 || name.len > DNS_LABEL_BYTES_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		bool is_inside = i > 0 && i < name.len - 1;

		if (!is_alphanumeric(c) && !(c >= 'A' && c <= 'Z') &&
		    !(is_inside && (c == '-' || c == '_' || c == '.')))
			return false;
	}
	return true;
}

bool is_label_key(struct slice key)
{
	ptrdiff_t slash = slice_find(key, '/');

	if (slash < 0)
		return is_label_name(key);
	return !slice_starts_with(key, BUCKET_LABEL_PREFIX) &&
	       is_dns_subdomain(slice_make(key.data, (size_t)slash)) &&
	       is_label_name(slice_from(key, (size_t)slash + 1));
}
