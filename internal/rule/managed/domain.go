package managed

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Domain is which values a parameter may have. PutConfigRule refuses others;
// a rule that has one all the same compares it like any value. The elements of a
// CSV, and of text with commas in it, are checked one by one.
type Domain struct {
	Values   []string // whatever the case
	Min, Max *float64
	Pattern  *regexp.Regexp // of the whole element
	Ports    bool           // ports and ranges of them, such as 443 or 1020-1025
}

// check returns what is wrong with a value; empty if nothing is.
func (d *Domain) check(value string) string {
	if d == nil {
		return ""
	}
	for _, element := range splitCSV(value) {
		if wrong := d.checkElement(element); wrong != "" {
			return wrong
		}
	}
	return ""
}

func (d *Domain) checkElement(s string) string {
	if len(d.Values) > 0 && !slices.ContainsFunc(d.Values, func(v string) bool { return strings.EqualFold(v, s) }) {
		return "Valid values are " + strings.Join(d.Values, ", ")
	}
	if d.Pattern != nil && !d.Pattern.MatchString(s) {
		return "It must satisfy the pattern " + d.Pattern.String()
	}
	if d.Ports {
		if ranges, err := parsePorts(s); err != nil || ranges[0][0] > ranges[0][1] {
			return "Valid values are ports between 0 and 65535 and ranges of ports such as 1020-1025"
		}
	}
	if d.Min == nil && d.Max == nil {
		return ""
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || d.Min != nil && n < *d.Min || d.Max != nil && n > *d.Max {
		return "Valid values are numbers " + d.bounds()
	}
	return ""
}

func (d *Domain) bounds() string {
	number := func(f *float64) string { return strconv.FormatFloat(*f, 'f', -1, 64) }
	switch {
	case d.Max == nil:
		return "of at least " + number(d.Min)
	case d.Min == nil:
		return "of at most " + number(d.Max)
	}
	return "between " + number(d.Min) + " and " + number(d.Max)
}

// domainKeys are the keys of a parameter that make its domain.
var domainKeys = []string{"values", "min", "max", "pattern", "ports"}

// domain reads a parameter's domain; nil where it has none.
func (p *fileParser) domain(keys map[string]*yaml.Node) *Domain {
	var d Domain
	found := false
	read := func(key string, into any) {
		node := keys[key]
		if node == nil {
			return
		}
		found = true
		if err := node.Decode(into); err != nil {
			p.fail(node.Line, "%s cannot be read: %v", key, err)
		}
	}
	read("values", &d.Values)
	read("min", &d.Min)
	read("max", &d.Max)
	read("ports", &d.Ports)
	var pattern string
	if read("pattern", &pattern); pattern != "" {
		compiled, err := regexp.Compile("^(?:" + pattern + ")$")
		if err != nil {
			p.fail(keys["pattern"].Line, "pattern: %v", err)
		}
		d.Pattern = compiled
	}
	if !found {
		return nil
	}
	return &d
}
