package iam

import "context"

// maxPage is how many entries a page has if nobody says.
const maxPage = 100

// A list is one list with its filters, of which pages are read.
type list struct {
	face
	operation string
	filters   []string
	after     string // the position of the page
	n         int
}

// list returns the page of an operation's list that a marker leads to.
func (f face) list(ctx context.Context, operation string, marker *string, n *int32, filters ...string) (list, error) {
	l := list{face: f, operation: operation, filters: append([]string{account(ctx)}, filters...), n: maxPage}
	if n != nil {
		l.n = int(*n)
	}
	var ok bool
	if l.after, ok = f.tokens.Decode(operation, text(marker), l.filters...); !ok {
		return l, invalid("Invalid Marker.")
	}
	return l, nil
}

// An end is how a page ends.
type end struct {
	truncated *bool
	marker    *string
}

// cut returns the shapes of a page of which one more entry was read, if there is
// one more.
func cut[T, S any](l list, found []T, key func(T) string, shape func(T) S) ([]S, end) {
	e := end{truncated: new(false)}
	if len(found) > l.n {
		found = found[:l.n]
		e = end{new(true), new(l.tokens.Encode(l.operation, key(found[l.n-1]), l.filters...))}
	}
	out := make([]S, 0, len(found))
	for _, t := range found {
		out = append(out, shape(t))
	}
	return out, e
}

// cutAll is cut for entries that were all read, in the order of their keys.
func cutAll[T, S any](l list, all []T, key func(T) string, shape func(T) S) ([]S, end) {
	first := 0
	for first < len(all) && l.after != "" && key(all[first]) <= l.after {
		first++
	}
	return cut(l, all[first:], key, shape)
}

func same[T any](t T) T { return t }
