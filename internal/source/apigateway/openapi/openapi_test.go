package openapi

import (
	"fmt"
	"strings"
	"testing"
)

// servers is a document whose one server has a URL and variables.
func servers(t *testing.T, url string, defaults map[string]string) *Document {
	t.Helper()
	variables := Object{}
	for name, text := range defaults {
		variables[name] = Object{"default": text}
	}
	return &Document{Version: 3, root: Object{"servers": []any{Object{"url": url, "variables": variables}}}}
}

func TestPrefixHasTheDefaultsOfVariables(t *testing.T) {
	for _, c := range []struct{ url, how, want string }{
		{"https://{host}/{base}/shop/", "prepend", "/v1/shop"},
		{"https://{host}/{base}/shop", "split", "/shop"},
		{"https://{host}/{base}/shop", "ignore", ""},
		{"https://{host}/{none}/{base}{", "prepend", "/{none}/v1{"},
		{"/{again}", "Prepend", "/{base}"}, // a default is not expanded again
		{"/{slash}", "prepend", "/v2"},
		{"", "prepend", ""},
	} {
		d := servers(t, c.url, map[string]string{"host": "example.com", "base": "v1", "again": "{base}", "slash": "/v2"})
		if got, err := d.Prefix(c.how); err != nil || got != c.want {
			t.Errorf("%s with %s is %q, %v, want %q", c.url, c.how, got, err, c.want)
		}
	}
}

// A short document may not ask for a long base path.
func TestPrefixIsBounded(t *testing.T) {
	nested := map[string]string{"v0": "0123456789"}
	for n := 1; n < 5; n++ {
		nested[fmt.Sprint("v", n)] = strings.Repeat(fmt.Sprintf("{v%d}", n-1), 30)
	}
	for name, d := range map[string]*Document{
		"variables in variables": servers(t, strings.Repeat("/{v4}", 100), nested),
		"a long default":         servers(t, "/{v}", map[string]string{"v": strings.Repeat("a", maxBase)}),
		"many variables":         servers(t, strings.Repeat("{v}", 600), map[string]string{"v": "0123456789"}),
		"a long URL":             servers(t, strings.Repeat("{", maxBase+1), nil),
		"a long base path":       {Version: 2, root: Object{"basePath": "/" + strings.Repeat("a", maxBase)}},
	} {
		for _, how := range []string{"prepend", "split"} {
			if got, err := d.Prefix(how); err == nil {
				t.Errorf("%s: %s is %d bytes long", name, how, len(got))
			}
		}
		if got, err := d.Prefix("ignore"); err != nil || got != "" {
			t.Errorf("%s: what is not asked for is %q, %v", name, got, err)
		}
	}
}
