package credential

import (
	"reflect"
	"testing"
	"time"

	"plumb/internal/caller"
)

func TestTheStoredFormOfASessionStaysAsItIs(t *testing.T) {
	want := caller.Session{Policies: []string{"{}"}, Tags: map[string]string{"k": "v"}, SourceIdentity: "ann", Issued: time.UnixMicro(7).UTC(), Cognito: "id"}
	text, err := kept(Credential{Root: true, Session: want})
	if err != nil || text != `{"root":true,"policies":["{}"],"tags":{"k":"v"},"sourceIdentity":"ann","issued":7,"cognito":"id"}` {
		t.Fatalf("%s, %v", text, err)
	}
	var who caller.Identity
	if err := readSession(text, &who); err != nil || !who.Root || !who.Session.Issued.Equal(want.Issued) {
		t.Fatalf("%+v, %v", who, err)
	}
	who.Session.Issued = want.Issued
	if !reflect.DeepEqual(*who.Session, want) {
		t.Errorf("%+v", *who.Session)
	}
	if err := readSession("", &who); err != nil || who.Root || who.Session == nil {
		t.Errorf("credentials of an older server: %+v, %v", who, err)
	}
}
