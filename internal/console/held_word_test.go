package console

import "testing"

func TestAWordIsFoundWhole(t *testing.T) {
	for _, c := range []struct {
		text, word string
		want       bool
	}{
		{"10.0.0.7", "10.0.0.7", true}, {"10.0.0.7/32", "10.0.0.7", true}, {"10.0.0.70", "10.0.0.7", false}, {"110.0.0.7", "10.0.0.7", false},
		{"10.0.0.70 10.0.0.7", "10.0.0.7", true}, {"arn:aws:s3:::reports", "reports", true}, {"reports-2", "reports", false}, {"äb", "b", false},
		{"b é", "é", true}, {"aé é", "é", true}, {"x", "", false}, {"", "x", false}, {"-x-", "-x-", true},
	} {
		if got := hasWord(c.text, c.word); got != c.want {
			t.Errorf("hasWord(%q, %q) = %v", c.text, c.word, got)
		}
	}
}
