package rulebench

import (
	"os"
	"testing"

	"plumb/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}
