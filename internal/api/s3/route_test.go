package s3

import "testing"

func TestABucketIsNamedByHostOrByPath(t *testing.T) {
	for _, c := range []struct{ host, path, name, key string }{
		{"127.0.0.1:4577", "/", "", ""},
		{"127.0.0.1:4577", "/b", "b", ""},
		{"127.0.0.1:4577", "/b/", "b", ""},
		{"127.0.0.1:4577", "/b/a/b c//d", "b", "a/b c//d"},
		{"localhost:4577", "/b/k", "b", "k"},
		{"b.localhost:4577", "/k", "b", "k"},
		{"b.c.localhost:4577", "/", "b.c", ""},
		{"s3.localhost:4577", "/b/k", "b", "k"},
		{"b.s3.localhost:4577", "/k", "b", "k"},
		{"b.s3.eu-west-1.amazonaws.com", "/a/k", "b", "a/k"},
		{"b.s3-eu-west-1.amazonaws.com", "/k", "b", "k"},
		{"s3.us-east-1.amazonaws.com", "/b/k", "b", "k"},
		{"[::1]:4577", "/b/k", "b", "k"},
		{"plumb.example.com", "/b/k", "b", "k"},
	} {
		if name, key := address(c.host, c.path); name != c.name || key != c.key {
			t.Errorf("%s%s: bucket %q, key %q", c.host, c.path, name, key)
		}
	}
}
