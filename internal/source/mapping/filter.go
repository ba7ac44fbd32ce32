package mapping

import (
	"encoding/json"
	"fmt"

	"plumb/internal/pattern"
)

// maxFilters is how many patterns a mapping may have; AWS's quota is 5, which it raises
// to 10.
const maxFilters = 10

// Filters are patterns, of which one must match. Without any, every record does.
type Filters []*pattern.Pattern

// ParseFilters reads patterns.
func ParseFilters(patterns []string) (Filters, error) {
	if len(patterns) > maxFilters {
		return nil, invalid("Maximum number of filters exceeded.")
	}
	var out Filters
	for _, text := range patterns {
		p, err := pattern.Parse(text)
		if err != nil {
			return nil, invalid("Invalid filter pattern definition.")
		}
		out = append(out, p)
	}
	return out, nil
}

// Match reports whether a record is to be handed on. It is read as the JSON that the
// patterns speak of.
func (f Filters) Match(record any) (bool, error) {
	if len(f) == 0 {
		return true, nil
	}
	text, err := json.Marshal(record)
	if err != nil {
		return false, fmt.Errorf("record: %w", err)
	}
	e, err := pattern.ParseEvent(text)
	if err != nil {
		return false, fmt.Errorf("record: %w", err)
	}
	for _, p := range f {
		if p.Matches(e) {
			return true, nil
		}
	}
	return false, nil
}
