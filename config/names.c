#include "config/names.h"

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
