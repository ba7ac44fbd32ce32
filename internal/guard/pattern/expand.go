package pattern

import "strings"

// expand writes template to b with $1, $name and ${name} replaced by what group
// gives for them, and $$ by a dollar sign. A dollar that begins none of these
// stays.
func expand(b *strings.Builder, template string, group func(name string) string) {
	for {
		before, after, found := strings.Cut(template, "$")
		b.WriteString(before)
		if !found {
			return
		}
		if rest, ok := strings.CutPrefix(after, "$"); ok {
			b.WriteByte('$')
			template = rest
			continue
		}
		name, rest := groupName(after)
		if name == "" {
			b.WriteByte('$')
		} else {
			b.WriteString(group(name))
		}
		template = rest
	}
}

// groupName takes the group's name off the front of what follows a dollar sign.
func groupName(s string) (name, rest string) {
	if inner, ok := strings.CutPrefix(s, "{"); ok {
		name, rest, found := strings.Cut(inner, "}")
		if !found {
			return "", s
		}
		return name, rest
	}
	end := strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:]
}
