package app

import (
	"net"
	"strings"
	"testing"
)

func TestAListenersErrorSaysWhatToDoInNobodysWords(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]string{
		taken.Addr().String(): "--smtp-listen",
		"127.0.0.1:99999":     "a port from 0 to 65535",
		"192.0.2.1:0":         "this machine does not have that address",
	} {
		l, err := listen("smtp-listen", address)
		if err == nil {
			l.Close()
			t.Errorf("%s is listened to", address)
			continue
		}
		if text := err.Error(); !strings.Contains(text, want) || !strings.HasPrefix(text, "smtp-listen "+address+": ") || strings.Contains(text, "tcp") || strings.Contains(text, "bind") {
			t.Errorf("%s: %s", address, text)
		}
	}
}
