package apptest_test

import (
	"os"
	"testing"

	"plumb/internal/apptest"
	"plumb/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

func TestStories(t *testing.T) { apptest.Scripts(t, "../../testdata/script") }
