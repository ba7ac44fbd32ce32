package settings

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Quotas are how many of each noun an account may have in a region.
type Quotas struct {
	Rules, Packs, Aggregators, StoredQueries, OrganizationRules, OrganizationPacks int
}

// DefaultQuotas are AWS's own.
func DefaultQuotas() Quotas {
	return Quotas{Rules: 1000, Packs: 50, Aggregators: 50, StoredQueries: 300, OrganizationRules: 150, OrganizationPacks: 50}
}

// mostQuota bounds what a transaction may have to count.
const mostQuota = 100_000

type namedQuota struct {
	name string
	max  *int
}

func (q *Quotas) named() []namedQuota {
	return []namedQuota{
		{"rules", &q.Rules}, {"conformance-packs", &q.Packs}, {"aggregators", &q.Aggregators}, {"stored-queries", &q.StoredQueries},
		{"organization-rules", &q.OrganizationRules}, {"organization-conformance-packs", &q.OrganizationPacks},
	}
}

// String is how quotas are written in the settings file.
func (q Quotas) String() string {
	var list []string
	for _, n := range q.named() {
		list = append(list, fmt.Sprintf("%s: %d", n.name, *n.max))
	}
	return "{" + strings.Join(list, ", ") + "}"
}

// read takes the quotas that a node names and leaves the others as they are.
func (q *Quotas) read(v *yaml.Node) error {
	if v.Kind != yaml.MappingNode {
		return fmt.Errorf("want names with numbers, such as {rules: 2000}")
	}
	all := map[string]*int{}
	for _, n := range q.named() {
		all[n.name] = n.max
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(v.Content); i += 2 {
		name, value := v.Content[i], v.Content[i+1]
		most, ok := all[name.Value]
		if !ok {
			return lineError{name.Line, fmt.Sprintf("unknown quota %q%s", name.Value, meant(maps.Keys(all), name.Value))}
		}
		if seen[name.Value] {
			return lineError{name.Line, name.Value + " was set before"}
		}
		seen[name.Value] = true
		n, err := strconv.Atoi(value.Value)
		if err != nil || n < 1 || n > mostQuota {
			return lineError{name.Line, fmt.Sprintf("%s %q: want a number from 1 to %d", name.Value, value.Value, mostQuota)}
		}
		*most = n
	}
	return nil
}

func quotas(name string, field func(*Settings) *Quotas, help, example string) Setting {
	return Setting{
		Name: name, Kind: "QUOTAS", Help: help, Example: example,
		get: func(s *Settings) string { return field(s).String() },
		set: func(s *Settings, v *yaml.Node) error {
			v, err := inside(v)
			if err != nil {
				return fmt.Errorf("want YAML such as %s", example)
			}
			q := *field(s)
			if err := q.read(v); err != nil {
				return err
			}
			*field(s) = q
			return nil
		},
	}
}
