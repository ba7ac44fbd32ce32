package recorder

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/internal/config"
)

// content is what makes two items of a resource different.
type content struct {
	Name, ARN, Region, AZ string
	Created               *time.Time
	Tags                  map[string]string
	Relationships         []config.Relationship
	Configuration         any
	Supplementary         map[string]any
}

// digestOf returns a digest of an item's content. The order of keys and of
// relationships does not matter.
func digestOf(it config.Item) ([]byte, error) {
	rel := slices.Clone(it.Relationships)
	slices.SortFunc(rel, func(a, b config.Relationship) int {
		return strings.Compare(a.Type+"\x00"+a.ID+"\x00"+a.ResourceName+"\x00"+a.Name, b.Type+"\x00"+b.ID+"\x00"+b.ResourceName+"\x00"+b.Name)
	})
	if len(it.Tags) == 0 {
		it.Tags = nil
	}
	if len(it.Supplementary) == 0 {
		it.Supplementary = nil
	}
	if it.CreationTime != nil {
		it.CreationTime = new(it.CreationTime.UTC())
	}
	b, err := json.Marshal(content{it.Name, it.ARN, it.ShownRegion(), it.AZ, it.CreationTime, it.Tags, rel, it.Configuration, it.Supplementary})
	if err != nil {
		return nil, fmt.Errorf("encode content: %w", err)
	}
	sum := sha256.Sum256(b)
	return sum[:], nil
}
