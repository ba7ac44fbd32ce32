package app

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"

	"plumb/internal/db"
	"plumb/internal/settings"
)

// echo is a protocol that answers what it is sent.
func echo(needed *bool, setting string) protocol {
	return protocol{
		name: "echo", setting: setting, usual: "127.0.0.1:0", maxConnections: 4,
		needed: func(context.Context, *db.Tx) (bool, error) { return *needed, nil },
		serve: func(l net.Listener) (func(context.Context), error) {
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func() { io.Copy(c, c); c.Close() }()
				}
			}()
			return func(context.Context) { l.Close() }, nil
		},
	}
}

func furtherOf(t *testing.T, p protocol) *further {
	t.Helper()
	read := func(_ context.Context, fn func(*db.Tx) error) error { return fn(nil) }
	f := newFurther(slog.New(slog.DiscardHandler), read, []protocol{p})
	t.Cleanup(func() { f.stop(context.Background()) })
	return f
}

func answers(address string) bool {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	defer c.Close()
	if _, err := c.Write([]byte("x")); err != nil {
		return false
	}
	_, err = io.ReadFull(c, make([]byte, 1))
	return err == nil
}

func TestAFurtherListenerIsOpenWhileTheStoreNeedsIt(t *testing.T) {
	needed := false
	f := furtherOf(t, echo(&needed, ""))
	if err := f.start(); err != nil || len(f.addresses()) != 0 {
		t.Fatalf("at the start: %v, %v", f.addresses(), err)
	}
	needed = true
	f.follow(t.Context())
	first := f.addresses()["echo"]
	if !answers(first) {
		t.Fatalf("%q does not answer", first)
	}
	needed = false
	f.follow(t.Context())
	if answers(first) || len(f.addresses()) != 0 {
		t.Fatal("it is open when nothing needs it")
	}
	needed = true
	f.follow(t.Context())
	if again := f.addresses()["echo"]; again != first || !answers(again) {
		t.Fatalf("it was at %s and is at %s", first, again)
	}
}

func TestAFurtherListenerIsWhereTheSettingsSay(t *testing.T) {
	needed := false
	f := furtherOf(t, echo(&needed, "127.0.0.1:0"))
	if err := f.start(); err != nil || !answers(f.addresses()["echo"]) {
		t.Fatalf("at the start: %v, %v", f.addresses(), err)
	}
	taken := furtherOf(t, echo(&needed, f.addresses()["echo"]))
	if err := taken.start(); err == nil {
		t.Error("a server starts without the address that its settings name")
	}
	needed = true
	off := furtherOf(t, echo(&needed, settings.NoListener))
	if err := off.start(); err != nil || len(off.addresses()) != 0 {
		t.Errorf("a listener that is off: %v, %v", off.addresses(), err)
	}
}

func TestNoFurtherListenerOpensAfterTheStop(t *testing.T) {
	needed := true
	f := furtherOf(t, echo(&needed, ""))
	if err := f.start(); err != nil {
		t.Fatal(err)
	}
	f.stop(t.Context())
	f.follow(t.Context())
	if open := f.addresses(); len(open) != 0 {
		t.Errorf("open after the stop: %v", open)
	}
}
