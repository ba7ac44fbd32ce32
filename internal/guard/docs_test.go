package guard

import (
	"os"
	"strings"
	"testing"
)

func TestExamplesInTheManualAreTrue(t *testing.T) {
	text, err := os.ReadFile("../../docs/guard.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := strings.Split(string(text), "```guard\n")[1:]
	if len(examples) < 9 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, e := range examples {
		e, _, _ = strings.Cut(e, "```")
		parts := strings.Split(e, "\n---\n")
		if len(parts) != 3 {
			t.Errorf("%d parts:\n%s", len(parts), e)
			continue
		}
		expected := strings.TrimSpace(parts[2])
		if got := decided(t, parts[0], parts[1], expected); got != expected {
			t.Errorf("%s\ngot\n%s\nwant\n%s", parts[0], got, expected)
		}
	}
}
