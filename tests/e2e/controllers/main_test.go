// Package controllers tests rings of real, unmodified controllers. It is apart
// from package clients because client-go's own rate limit, five requests a
// second, makes these tests slow and idle: go runs both packages at once.
package controllers

import (
	"os"
	"testing"

	"ringside.dev/ringside/tests/e2e/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
