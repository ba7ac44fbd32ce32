package restapi

import (
	"fmt"
	"strings"
	"testing"

	"plumb/internal/config"
	"plumb/internal/model/apigatewayapi"
)

// document is one with as many schemas.
func document(names int) []byte {
	var all []string
	for n := range names {
		all = append(all, fmt.Sprintf(`"M%d": {"type": "object"}`, n))
	}
	return []byte(`{"swagger": "2.0", "info": {"title": "a"}, "paths": {}, "definitions": {` + strings.Join(all, ",") + `}}`)
}

// empty is an API without anything.
func empty() *Definition {
	return &Definition{API: apigatewayapi.RestApi{Id: new("a"), RootResourceId: new("r")}, Resources: []apigatewayapi.Resource{{Id: new("r"), Path: new("/")}}, Models: usualModels()}
}

// imported has an API become what a document says.
func imported(d *Definition, in Import) ([]string, error) {
	doc, err := in.document()
	if err != nil {
		return nil, err
	}
	return d.read(doc, in)
}

func TestImportHasUpToTheModelsOfAnAPI(t *testing.T) {
	const want = "Maximum number of Models for this API has been reached: 60."
	d := empty()
	if _, err := imported(d, Import{Body: document(58)}); err != nil || len(d.Models) != 60 {
		t.Errorf("with %d models: %v", len(d.Models), err)
	}
	if _, err := imported(d, Import{Body: document(58), Merge: true}); err != nil || len(d.Models) != 60 {
		t.Errorf("merged again, with %d models: %v", len(d.Models), err)
	}
	for _, n := range []int{59, 61, 10_000} {
		d := empty()
		if _, err := imported(d, Import{Body: document(n)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("with %d schemas: %v", n, err)
		}
		if len(d.Models) > 62 { // the usual ones and up to 60
			t.Errorf("%d schemas made %d models", n, len(d.Models))
		}
	}
}

func TestRequestValidatorsKeepTheirIDs(t *testing.T) {
	d := empty()
	text := func(names ...string) []byte {
		return []byte(`{"swagger": "2.0", "info": {"title": "a"}, "paths": {}, "x-amazon-apigateway-request-validators": {"` + strings.Join(names, `": {}, "`) + `": {}}}`)
	}
	ids := func() map[string]string {
		out := map[string]string{}
		for _, v := range d.Validators {
			out[*v.Name] = *v.Id
		}
		return out
	}
	if _, err := imported(d, Import{Body: text("a", "b")}); err != nil {
		t.Fatal(err)
	}
	before := ids()
	if _, err := imported(d, Import{Body: text("b", "c")}); err != nil {
		t.Fatal(err)
	}
	if after := ids(); len(after) != 2 || after["b"] != before["b"] || after["c"] == before["a"] {
		t.Errorf("the validators are %v, and were %v", after, before)
	}
}

// A service without a database shows it: a document is read before a transaction begins.
func TestReimportReadsTheDocumentFirst(t *testing.T) {
	_, err := (&Service{}).Reimport(t.Context(), config.Place{}, "a", Import{Body: []byte("nonsense")})
	if err == nil || !strings.Contains(err.Error(), "Invalid OpenAPI input.") {
		t.Errorf("the error is %v", err)
	}
}
