package s3

import (
	"strings"
	"testing"
)

func TestTextOfManyPiecesIsJoined(t *testing.T) {
	n, err := parse([]byte("<Delete><Object><Key>"+strings.Repeat("<![CDATA[ab]]>", 100_000)+"</Key> \n</Object></Delete>"), "Delete")
	if err != nil {
		t.Fatal(err)
	}
	if got := n.child("Object", "Key").value(); got != strings.Repeat("ab", 100_000) {
		t.Errorf("%d bytes of text", len(got))
	}
	if n.child("Object").value() != "" {
		t.Error("blanks between elements are text")
	}
}

func TestWhatNoClientSendsIsMalformed(t *testing.T) {
	for _, body := range []string{
		"<Delete><!-- --></Delete>", "<!DOCTYPE a><Delete></Delete>", "<Delete/><Delete/>", "", "x", "<Delete>", strings.Repeat("<a>", 30),
	} {
		if _, err := parse([]byte(body), "Delete"); err == nil {
			t.Errorf("%q was taken", body)
		}
	}
}
