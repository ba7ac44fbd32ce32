package config

import (
	"cmp"
	"encoding/json"
	"time"
)

// Stamps are what AWS Config itself wrote on an item that was imported, where that
// differs from what Plumb writes: items of old schema versions counted their states
// from 1. Zero members do not differ.
type Stamps struct {
	Version  string    `json:"version,omitempty"`
	StateID  int64     `json:"stateId,omitempty"`
	Captured time.Time `json:"captured,omitzero"`
}

// ShownVersion returns the schema version that clients are shown.
func (it Item) ShownVersion() string {
	if it.Imported == nil {
		return ItemVersion
	}
	return cmp.Or(it.Imported.Version, ItemVersion)
}

// ShownStateID returns the configurationStateId that clients are shown. StateID
// orders the items.
func (it Item) ShownStateID() int64 {
	if it.Imported == nil {
		return it.StateID
	}
	return cmp.Or(it.Imported.StateID, it.StateID)
}

// KeptForm returns the event form with the stamps of an imported item, as it is
// stored: UnmarshalJSON reads them again.
func (it Item) KeptForm() ([]byte, error) {
	return json.Marshal(keptItem{it.eventForm(), it.Imported})
}

// ItemFromFile reads an item in the event form that AWS Config wrote, and returns the
// schema version that it names. StateID is the one that it names.
func ItemFromFile(b []byte) (it Item, version string, err error) {
	var e eventItem
	if err := decodeInto(b, &e); err != nil {
		return it, "", err
	}
	return it, e.Version, it.fromEventForm(e)
}

// maxApart is how far the state of an item may be from its capture time, in
// milliseconds, and still order it: AWS counts on by one where two items have the same
// time.
const maxApart = 1000

// Stamped returns an item of AWS Config with a StateID that orders it among others, and
// with what AWS wrote instead where that differs.
func (it Item) Stamped(version string) Item {
	wrote := Stamps{StateID: it.StateID, Captured: it.CaptureTime}
	if version != ItemVersion {
		wrote.Version = version
	}
	captured := it.CaptureTime.UnixMilli()
	if apart := it.StateID - captured; apart < -maxApart || apart > maxApart {
		it.StateID = captured
	} else {
		wrote.StateID = 0
	}
	if it.CaptureTime.Equal(time.UnixMilli(it.StateID)) {
		wrote.Captured = time.Time{}
	}
	if it.Imported = nil; wrote != (Stamps{}) {
		it.Imported = &wrote
	}
	return it
}
