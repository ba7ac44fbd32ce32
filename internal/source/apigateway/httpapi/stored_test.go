package httpapi

import (
	"encoding/json"
	"testing"
	"time"

	"plumb/internal/model/apigatewayv2api"
)

// What is kept is read by later versions.
func TestStoredForm(t *testing.T) {
	at := time.Unix(0, 0).UTC()
	got, err := json.Marshal(Definition{
		API:          apigatewayv2api.Api{ApiId: new("a"), Name: new("n"), CreatedDate: &at, CorsConfiguration: &apigatewayv2api.Cors{AllowOrigins: []string{"*"}}},
		Routes:       []apigatewayv2api.Route{{RouteId: new("r"), RouteKey: new("$default"), Target: new("integrations/i")}},
		Integrations: []apigatewayv2api.Integration{{IntegrationId: new("i"), IntegrationType: "AWS_PROXY", TimeoutInMillis: new(int32(5))}},
		Authorizers:  []apigatewayv2api.Authorizer{{AuthorizerId: new("z"), IdentitySource: []string{"$context.stage"}}},
	})
	const want = `{"api":{"apiId":"a","corsConfiguration":{"allowOrigins":["*"]},"createdDate":"1970-01-01T00:00:00Z","name":"n"},` +
		`"routes":[{"routeId":"r","routeKey":"$default","target":"integrations/i"}],` +
		`"integrations":[{"integrationId":"i","integrationType":"AWS_PROXY","timeoutInMillis":5}],` +
		`"authorizers":[{"authorizerId":"z","identitySource":["$context.stage"]}]}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
