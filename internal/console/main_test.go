package console_test

import (
	"os"
	"testing"

	"plumb/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Main() // functions of the rule bench run behind it
	os.Exit(m.Run())
}
