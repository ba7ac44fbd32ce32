package cloudformation_test

import (
	"os"
	"testing"

	"plumb/internal/sandbox"
)

// TestMain lets the test program be what functions are run by.
func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}
