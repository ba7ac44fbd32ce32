package alexa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"plumb/internal/db"
	"plumb/internal/lambda"
)

// A skill is what is kept of one.
type skill struct {
	id       string
	manifest string // the JSON of the member manifest
	changed  time.Time
}

// A manifest is what is read of one.
type manifest struct {
	APIs struct {
		Custom *struct {
			Endpoint *endpoint `json:"endpoint"`
			Regions  map[string]struct {
				Endpoint *endpoint `json:"endpoint"`
			} `json:"regions"`
		} `json:"custom"`
	} `json:"apis"`
}

type endpoint struct {
	URI string `json:"uri"`
}

// regions are Alexa's, in the order in which an endpoint is looked for where the manifest
// names none for all.
var regions = []string{"NA", "EU", "FE"}

// function returns the ARN of the function that answers for a skill; empty without one.
func (m manifest) function() string {
	if m.APIs.Custom == nil {
		return ""
	}
	if e := m.APIs.Custom.Endpoint; e != nil {
		return e.URI
	}
	for _, name := range regions {
		if e := m.APIs.Custom.Regions[name].Endpoint; e != nil {
			return e.URI
		}
	}
	return ""
}

// readManifest reads and checks a manifest.
func readManifest(text []byte) (m manifest, err error) {
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("the manifest is not as Alexa has it: %w", err)
	}
	endpoints := []*endpoint{}
	if c := m.APIs.Custom; c != nil {
		endpoints = append(endpoints, c.Endpoint)
		for _, r := range c.Regions {
			endpoints = append(endpoints, r.Endpoint)
		}
	}
	for _, e := range endpoints {
		if e == nil {
			continue
		}
		if _, err := lambda.ParseARN(e.URI); err != nil {
			return m, fmt.Errorf("the endpoint %q is not the ARN of a function: endpoints of other kinds are not served here", e.URI)
		}
	}
	return m, nil
}

func find(ctx context.Context, tx *db.Tx, id string) (s skill, found bool, err error) {
	var changed int64
	err = tx.QueryRow(ctx, "SELECT id, manifest, changed FROM alexa_skill WHERE id = ?", id).Scan(&s.id, &s.manifest, &changed)
	if errors.Is(err, db.ErrNoRows) {
		return s, false, nil
	}
	s.changed = time.UnixMilli(changed).UTC()
	return s, err == nil, err
}

func put(ctx context.Context, tx *db.Tx, s skill) error {
	_, err := tx.Exec(ctx, `INSERT INTO alexa_skill (id, manifest, changed) VALUES (?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET manifest = excluded.manifest, changed = excluded.changed`, s.id, s.manifest, s.changed.UnixMilli())
	return err
}

func remove(ctx context.Context, tx *db.Tx, id string) (bool, error) {
	n, err := tx.Exec(ctx, "DELETE FROM alexa_skill WHERE id = ?", id)
	return n > 0, err
}
