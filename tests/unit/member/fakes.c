/* The fakes of the floor below. */
#include "tests/unit/net/fake_api.c"  // NOLINT(bugprone-suspicious-include)
#include "tests/unit/net/fake_ring.c" // NOLINT(bugprone-suspicious-include)
