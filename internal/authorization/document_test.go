package authorization

import (
	"reflect"
	"slices"
	"testing"

	"plumb/internal/model/apigatewayapi"
	"plumb/internal/model/apigatewayv2api"
)

// The roles in a document are handed over like those in the input itself, however the
// document writes them.
func TestTheRolesInADocumentAreFound(t *testing.T) {
	text := `{"x": [{"credenti\u0061ls": "arn:aws:iam::1:role/a"}, {"credentials": "arn:aws:iam::*:user/*"}], "components": {"authorizerCredentials": "arn:aws:iam::1:role/b", "credentials": 3, "other": "c"}}`
	for name, in := range map[string]any{
		"a body of bytes": apigatewayapi.PutRestApiInput{Body: []byte(text)},
		"a text":          apigatewayv2api.ImportApiInput{Body: &text},
	} {
		got := reading{in: reflect.ValueOf(in)}.rolesIn("Body")
		if slices.Sort(got); !slices.Equal(got, []string{"arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b"}) {
			t.Errorf("%s has the roles %v", name, got)
		}
	}
	if got := (reading{in: reflect.ValueOf(apigatewayv2api.ImportApiInput{})}).rolesIn("Body"); got != nil {
		t.Errorf("nothing has the roles %v", got)
	}
}
