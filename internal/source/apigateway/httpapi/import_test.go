package httpapi

import (
	"strings"
	"testing"

	"plumb/internal/config"
)

// A service without a database shows it: a document is read before a transaction begins.
func TestReimportReadsTheDocumentFirst(t *testing.T) {
	_, err := (&Service{}).Reimport(t.Context(), config.Place{}, "a", Import{Body: []byte("nonsense")})
	if err == nil || !strings.Contains(err.Error(), "Invalid OpenAPI input.") {
		t.Errorf("the error is %v", err)
	}
}
