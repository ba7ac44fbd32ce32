package recorder

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/internal/config"
)

// A digest is of an item's content, and behind that of its relationships alone,
// so that those which stay need not be written again.
type digest []byte

func (d digest) sameRelations(other digest) bool {
	return len(d) == 2*sha256.Size && len(other) == len(d) && bytes.Equal(d[sha256.Size:], other[sha256.Size:])
}

// content is what makes two items of a resource different, besides their
// relationships and configuration.
type content struct {
	Name, ARN, Region, AZ string
	Created               *time.Time
	Tags                  map[string]string
	Supplementary         map[string]any
}

// digestOf returns a digest of an item whose configuration is given as text. The
// order of keys and of relationships does not matter.
func digestOf(it config.Item, configuration []byte) (digest, error) {
	c := content{Name: it.Name, ARN: it.ARN, Region: it.ShownRegion(), AZ: it.AZ}
	if len(it.Tags) > 0 {
		c.Tags = it.Tags
	}
	if len(it.Supplementary) > 0 {
		c.Supplementary = it.Supplementary
	}
	if it.CreationTime != nil {
		c.Created = new(it.CreationTime.UTC())
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode content: %w", err)
	}
	relations := relationsDigest(it.Relationships)
	h := sha256.New()
	for _, part := range [][]byte{text, configuration, relations} {
		fmt.Fprintf(h, "%d:", len(part))
		h.Write(part)
	}
	return append(h.Sum(nil), relations...), nil
}

func relationsDigest(relationships []config.Relationship) []byte {
	lines := make([]string, len(relationships))
	for i, r := range relationships {
		lines[i] = strings.Join([]string{r.Type, r.ID, r.ResourceName, r.Name}, "\x00")
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return sum[:]
}
