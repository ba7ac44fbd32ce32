package restapi

import (
	"encoding/json"
	"testing"
	"time"

	"plumb/internal/model/apigatewayapi"
	"plumb/internal/velocity"
)

// What is kept is read by later versions.
func TestStoredForm(t *testing.T) {
	at := time.Unix(0, 0).UTC()
	got, err := json.Marshal(Definition{
		API: apigatewayapi.RestApi{Id: new("a"), Name: new("n"), CreatedDate: &at, RootResourceId: new("r")},
		Resources: []apigatewayapi.Resource{{Id: new("r"), Path: new("/"), ResourceMethods: map[string]apigatewayapi.Method{
			"GET": {HttpMethod: new("GET"), MethodIntegration: &apigatewayapi.Integration{Type: "MOCK", TimeoutInMillis: new(int32(5))}}}}},
		Authorizers: []apigatewayapi.Authorizer{{Id: new("z"), Type: "TOKEN"}},
	})
	const want = `{"api":{"id":"a","name":"n","createdDate":"1970-01-01T00:00:00Z","rootResourceId":"r"},` +
		`"resources":[{"id":"r","path":"/","resourceMethods":{"GET":{"httpMethod":"GET","methodIntegration":{"type":"MOCK","timeoutInMillis":5}}}}],` +
		`"authorizers":[{"id":"z","type":"TOKEN"}]}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestStoredFormOfWhatValidatesAndAnswers(t *testing.T) {
	got, err := json.Marshal(Definition{
		Models:     []apigatewayapi.Model{{Id: new("m"), Name: new("M"), Schema: new("{}"), ContentType: new("application/json")}},
		Validators: []apigatewayapi.RequestValidator{{Id: new("v"), ValidateRequestBody: new(true)}},
		Responses: map[apigatewayapi.GatewayResponseType]apigatewayapi.GatewayResponse{"THROTTLED": {ResponseType: "THROTTLED", StatusCode: new("429"),
			ResponseParameters: map[string]string{"gatewayresponse.header.A": "'a'"}, ResponseTemplates: map[string]string{"text/plain": "t"}, DefaultResponse: new(false)}},
	})
	const want = `{"api":{},"resources":null,"models":[{"id":"m","name":"M","schema":"{}","contentType":"application/json"}],` +
		`"validators":[{"id":"v","validateRequestBody":true}],"responses":{"THROTTLED":{"responseType":"THROTTLED","statusCode":"429",` +
		`"responseParameters":{"gatewayresponse.header.A":"'a'"},"responseTemplates":{"text/plain":"t"},"defaultResponse":false}}}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestModelsThatWereDeletedStayDeleted(t *testing.T) {
	for text, want := range map[string]int{`{}`: 2, `{"models":[]}`: 0} {
		d, err := read([]byte(text))
		if err != nil || len(d.Models) != want {
			t.Errorf("%s: %d models, want %d: %v", text, len(d.Models), want, err)
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if d, err = read(again); err != nil || len(d.Models) != want {
			t.Errorf("%s, written again: %d models, want %d: %v", text, len(d.Models), want, err)
		}
	}
}

func TestResourceIsTheMostSpecificOne(t *testing.T) {
	var d Definition
	for _, path := range []string{"/", "/pets", "/pets/{id}", "/pets/dog", "/{proxy+}", "/pets/{id}/{rest+}"} {
		d.Resources = append(d.Resources, apigatewayapi.Resource{Path: &path, ResourceMethods: map[string]apigatewayapi.Method{"ANY": {HttpMethod: new("ANY")}}})
	}
	for path, want := range map[string]string{
		"/": "/", "/pets": "/pets", "/pets/": "/pets", "/pets/dog": "/pets/dog", "/pets/cat": "/pets/{id}", "/pets/cat/a/b": "/pets/{id}/{rest+}", "/x/y": "/{proxy+}",
	} {
		if m, ok := d.find("GET", path); !ok || *m.resource.Path != want {
			t.Errorf("%s leads to %v, want %s", path, m.resource.Path, want)
		}
	}
}

func TestPathsOfJSON(t *testing.T) {
	v, err := velocity.ParseJSON(`{"a": {"b c": [1, {"d": 2}, {"d": 3}]}}`)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"$": `{"a":{"b c":[1,{"d":2},{"d":3}]}}`, "$.a['b c'][0]": "1", "$.a['b c'][-1].d": "3", "$.a.none.more": "null", "$.a['b c'][*].d": "[2,3]", "$.a['b c'][9]": "null",
	} {
		got, ok := lookUp(v, path)
		text, err := velocity.JSON(got)
		if !ok || err != nil || text != want {
			t.Errorf("%s is %s, %v, %v, want %s", path, text, ok, err, want)
		}
	}
	for _, path := range []string{"", "a", "$..a", "$.a[", "$x", "$.a[]", "$."} {
		if got, ok := lookUp(v, path); ok {
			t.Errorf("%q is %v", path, got)
		}
	}
}
