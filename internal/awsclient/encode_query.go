package awsclient

import (
	"fmt"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"plumb/internal/model"
)

// queryWriter writes the parameters of the query protocols. EC2's differs in names and in how lists are numbered.
type queryWriter struct {
	out url.Values
	ec2 bool
}

func encodeQuery(r *request, api *model.API, op *model.Operation, in map[string]any) error {
	w := queryWriter{out: url.Values{}, ec2: api.Metadata.Protocol == "ec2"}
	w.out.Set("Action", op.Name)
	w.out.Set("Version", api.Metadata.APIVersion)
	if op.Input != nil {
		if err := w.structure("", op.Input, in); err != nil {
			return err
		}
	}
	r.method = "POST"
	r.header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.body = []byte(queryText(w.out))
	return nil
}

func (w queryWriter) structure(prefix string, ref *model.Ref, v any) error {
	in, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: %T is no structure", strings.TrimSuffix(prefix, "."), v)
	}
	if prefix != "" {
		prefix += "."
	}
	for _, name := range sortedKeys(in) {
		m := ref.Shape.Lookup(name)
		if m == nil {
			return fmt.Errorf("%s%s: the operation has no such input", prefix, name)
		}
		if in[name] == nil {
			continue
		}
		if err := w.any(prefix+w.name(m), &m.Ref, in[name]); err != nil {
			return err
		}
	}
	return nil
}

// name is how a member is spelled: EC2 capitalises what it calls the member in XML.
func (w queryWriter) name(m *model.Member) string {
	switch {
	case w.ec2 && m.QueryName != "":
		return m.QueryName
	case w.ec2 && m.LocationName != "":
		return strings.ToUpper(m.LocationName[:1]) + m.LocationName[1:]
	case m.LocationName != "":
		return m.LocationName
	}
	return m.Name
}

func (w queryWriter) any(prefix string, ref *model.Ref, v any) error {
	switch ref.Shape.Type {
	case "structure":
		return w.structure(prefix, ref, v)
	case "list":
		return w.list(prefix, ref, v)
	case "map":
		return w.mapping(prefix, ref, v)
	}
	s, err := text(ref, v, formatISO)
	if err != nil {
		return fmt.Errorf("%s: %w", prefix, err)
	}
	w.out.Set(prefix, s)
	return nil
}

func (w queryWriter) list(prefix string, ref *model.Ref, v any) error {
	list, ok := asList(v)
	if !ok {
		return fmt.Errorf("%s: %T is no list", prefix, v)
	}
	member := ref.Shape.Member
	switch {
	case w.ec2:
	case len(list) == 0:
		w.out.Set(prefix, "")
	case flattened(ref) && member.LocationName != "":
		prefix = prefix[:strings.LastIndexByte(prefix, '.')+1] + member.LocationName
	case flattened(ref):
	case member.LocationName != "":
		prefix += "." + member.LocationName
	default:
		prefix += ".member"
	}
	for i, e := range list {
		if err := w.any(prefix+"."+strconv.Itoa(i+1), member, e); err != nil {
			return err
		}
	}
	return nil
}

func (w queryWriter) mapping(prefix string, ref *model.Ref, v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: %T is no map", prefix, v)
	}
	if !flattened(ref) {
		prefix += ".entry"
	}
	for i, key := range sortedKeys(m) {
		at := prefix + "." + strconv.Itoa(i+1) + "."
		w.out.Set(at+orElse(ref.Shape.Key.LocationName, "key"), key)
		if err := w.any(at+orElse(ref.Shape.Value.LocationName, "value"), ref.Shape.Value, m[key]); err != nil {
			return err
		}
	}
	return nil
}

func flattened(ref *model.Ref) bool { return ref.Flattened || ref.Shape.Flattened }

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// sortedKeys makes requests the same from run to run.
func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// asList takes the two kinds of list that callers have at hand.
func asList(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out, true
	}
	return nil, false
}
