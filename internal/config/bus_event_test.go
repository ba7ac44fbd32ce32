package config

import (
	"strings"
	"testing"
	"time"
)

func TestNullsAreLeftOutButForCustomersOwn(t *testing.T) {
	got, err := withoutNulls([]byte(`{"a": null, "b": [{"c": null, "d": 1.50}], "configuration": {"e": null}, "f": {"g": null}}`))
	if want := `{"b":[{"d":1.50}],"configuration":{"e":null},"f":{}}`; err != nil || string(got) != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

// An event has no room for all that a message has: its resources and its source count.
func TestAnItemThatIsTooLargeForAnEventIsSummarized(t *testing.T) {
	place := Place{Account: "123456789012", Region: "us-east-1"}
	it := Item{ResourceKey: ResourceKey{Place: place, Type: "T", ID: "i"}, ARN: "arn:aws:t:::i", Status: StatusOK, CaptureTime: time.UnixMilli(5), StateID: 5}
	for size, want := range map[int]string{1: MessageChange, MaxMessage: MessageOversized, MaxMessage - 2000: MessageChange, MaxMessage - 900: MessageOversized} {
		it.Configuration = map[string]any{"text": strings.Repeat("x", size)}
		e, err := ItemBusEvent(it, nil, time.UnixMilli(7))
		if err != nil {
			t.Fatal(err)
		}
		e.Source = strings.Repeat("s", maxBusSource)
		if !strings.Contains(string(e.Detail), `"messageType":"`+want+`"`) || e.DetailType != BusItemChange || e.Size() > MaxMessage || len(e.Resources) != 1 {
			t.Errorf("with %d bytes: %d bytes of %.200s", size, e.Size(), e.Detail)
		}
	}
}
