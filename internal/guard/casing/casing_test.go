package casing

import "testing"

func TestNamesAreSpelledInSevenWays(t *testing.T) {
	for name, want := range map[string][Count]string{
		"bucketName": {"bucketName", "BucketName", "bucket-name", "BucketName", "bucket_name", "Bucket Name", "Bucket-Name"},
		"BucketNames": {"bucketNames", "BucketName", "bucket-names", "BucketNames", "bucket_names", "Bucket Names",
			"Bucket-Names"},
		"sse_algorithm": {"sseAlgorithm", "SseAlgorithm", "sse-algorithm", "SseAlgorithm", "sse_algorithm", "Sse Algorithm",
			"Sse-Algorithm"},
		"policies": {"policies", "Policy", "policies", "Policies", "policies", "Policies", "Policies"},
		"":         {"", "", "", "", "", "", ""},
		"--":       {"", "", "", "", "", "", ""},
		"a":        {"a", "A", "a", "A", "a", "A", "A"},
	} {
		if got := Spell(name); got != want {
			t.Errorf("%q: got %q", name, got)
		}
	}
}
