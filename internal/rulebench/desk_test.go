package rulebench

import (
	"context"
	"log/slog"
	"reflect"
	"testing"

	"plumb/internal/config"
	"plumb/internal/console"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/settings"
)

func TestDeskTellsFaultsOfTheCodeFromItsOwn(t *testing.T) {
	lambdatest.NeedBoto3(t)
	d := NewDesk(slog.New(slog.DiscardHandler), settings.Default())
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	f := console.Function{Name: "silent", File: "rule.py", Text: "def handler(event, context):\n    pass\n", Types: []string{}, Parameters: map[string]string{}}
	it := config.Item{ResourceKey: config.ResourceKey{Type: "AWS::S3::Bucket", ID: "a"}, Status: config.StatusOK}
	if a, err := d.Ask(t.Context(), f, it); err != nil || a.Error != "" {
		t.Errorf("it answered %+v, %v", a, err)
	}
	if !reflect.DeepEqual(f, d.put) {
		t.Errorf("it would be deployed again: %#v", d.put)
	}
	f.Text = "x = 1\n"
	if a, err := d.Ask(t.Context(), f, it); err != nil || a.Error != "rule.py has no handler: want a function handler, lambda_handler or lambdaHandler" {
		t.Errorf("without a handler it answered %+v, %v", a, err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	f.Text = "def handler(event, context):\n    return 1\n"
	if a, err := d.Ask(ended, f, it); err == nil {
		t.Errorf("who waits no more is told %+v", a)
	}
}
