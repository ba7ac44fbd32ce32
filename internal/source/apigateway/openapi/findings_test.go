package openapi

import (
	"errors"
	"strings"
	"testing"
)

// A document with much that is wrong does not make an answer that is longer than it is.
func TestFindingsAreBounded(t *testing.T) {
	var f Findings
	for range 10 * maxFindings {
		f.Wrong("a", errors.New("b"))
		f.Warnf("w")
	}
	if got := len(f.Warnings()); got != maxFindings {
		t.Errorf("there are %d warnings, want %d", got, maxFindings)
	}
	if got := strings.Count(f.Err(false).Error(), "\n\ta: b"); got != maxFindings {
		t.Errorf("%d errors are said, want %d", got, maxFindings)
	}
}
