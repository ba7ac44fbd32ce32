package git

import "fmt"

// A walk finds out which objects a client needs.
type walk struct {
	s       Source
	commits map[string]CommitContent
	entries map[string][]Entry
}

func newWalk(s Source) *walk {
	return &walk{s: s, commits: map[string]CommitContent{}, entries: map[string][]Entry{}}
}

// load reads commits that are not read yet.
func (w *walk) load(ids []string) error {
	return w.read(ids, Commit, func(id string) bool { _, ok := w.commits[id]; return ok }, func(o Object) (err error) {
		w.commits[o.ID], err = o.AsCommit()
		return err
	})
}

func (w *walk) loadTrees(ids []string) error {
	return w.read(ids, Tree, func(id string) bool { _, ok := w.entries[id]; return ok }, func(o Object) (err error) {
		w.entries[o.ID], err = o.AsTree()
		return err
	})
}

func (w *walk) read(ids []string, kind Kind, known func(string) bool, add func(Object) error) error {
	var ask []string
	for _, id := range ids {
		if !known(id) {
			ask = append(ask, id)
		}
	}
	for len(ask) > 0 {
		n := min(len(ask), batch)
		list, err := w.s.Objects(ask[:n])
		if err != nil {
			return err
		}
		for _, o := range list {
			if o.Kind != kind {
				return fmt.Errorf("object %s is a %s and no %s", o.ID, o.Kind, kind)
			}
			if err := add(o); err != nil {
				return err
			}
		}
		ask = ask[n:]
	}
	return nil
}

// ancestors adds commits and what came before them to a set, in steps of one generation.
// It does not go past commits that stop names, and not into those that are in the set.
func (w *walk) ancestors(from []string, stop, set map[string]bool, visit func(id string)) error {
	for len(from) > 0 {
		if err := w.load(from); err != nil {
			return err
		}
		var next []string
		for _, id := range from {
			c, ok := w.commits[id]
			if set[id] || !ok {
				continue
			}
			set[id] = true
			if visit != nil {
				visit(id)
			}
			if !stop[id] {
				next = append(next, c.Parents...)
			}
		}
		from = next
	}
	return nil
}

// within returns the commits that a history of some depth ends with: their parents are
// not in it. reached are all of it.
func (w *walk) within(tips []string, depth int) (ends, reached map[string]bool, err error) {
	ends, reached = map[string]bool{}, map[string]bool{}
	for ; depth > 0 && len(tips) > 0; depth-- {
		if err := w.load(tips); err != nil {
			return nil, nil, err
		}
		var next []string
		for _, id := range tips {
			c, ok := w.commits[id]
			if reached[id] || !ok {
				continue
			}
			reached[id] = true
			if depth == 1 && len(c.Parents) > 0 {
				ends[id] = true
			}
			next = append(next, c.Parents...)
		}
		tips = next
	}
	return ends, reached, nil
}

// A need is what a client asked for, and what it has.
type need struct {
	tips    []string        // commits
	others  []string        // tags and whatever else was asked for by its id
	common  []string        // commits that both have
	shallow map[string]bool // commits without whose parents the client is
	ends    map[string]bool // those that it is to be without after this
	reached map[string]bool // what a bounded history has; nil without a bound
}

// objects returns what the client lacks.
func (w *walk) objects(n need) ([]string, error) {
	had := map[string]bool{}
	if err := w.ancestors(n.common, n.shallow, had, nil); err != nil {
		return nil, err
	}
	tips := n.tips
	for id := range n.shallow {
		if n.reached[id] && !n.ends[id] && had[id] { // its parents are sent now
			if err := w.load([]string{id}); err != nil {
				return nil, err
			}
			tips = append(tips, w.commits[id].Parents...)
		}
	}
	var out, sent []string
	seen := map[string]bool{}
	for id := range had {
		seen[id] = true
	}
	err := w.ancestors(tips, n.ends, seen, func(id string) { sent = append(sent, id) })
	if err != nil {
		return nil, err
	}
	out = append(out, sent...)
	known, err := w.boundary(sent, n.common, had)
	if err != nil {
		return nil, err
	}
	var trees []string
	for _, id := range sent {
		trees = append(trees, w.commits[id].Tree)
	}
	if err := w.contents(trees, known, func(id string) { out = append(out, id) }); err != nil {
		return nil, err
	}
	rest, err := w.rest(n.others, known)
	return append(out, rest...), err
}

// boundary returns the trees and blobs that the client has: those of the commits which it
// has and from which it goes on.
func (w *walk) boundary(sent, common []string, had map[string]bool) (map[string]bool, error) {
	edge := append([]string{}, common...)
	for _, id := range sent {
		for _, p := range w.commits[id].Parents {
			if had[p] {
				edge = append(edge, p)
			}
		}
	}
	if err := w.load(edge); err != nil {
		return nil, err
	}
	var trees []string
	for _, id := range edge {
		if c, ok := w.commits[id]; ok {
			trees = append(trees, c.Tree)
		}
	}
	known := map[string]bool{}
	return known, w.contents(trees, known, nil)
}

// contents adds trees, and what is in them, to those that are known.
func (w *walk) contents(trees []string, known map[string]bool, visit func(id string)) error {
	add := func(id string) bool {
		if known[id] {
			return false
		}
		known[id] = true
		if visit != nil {
			visit(id)
		}
		return true
	}
	for len(trees) > 0 {
		var ask []string
		for _, id := range trees {
			if add(id) {
				ask = append(ask, id)
			}
		}
		if err := w.loadTrees(ask); err != nil {
			return err
		}
		trees = nil
		for _, id := range ask {
			for _, e := range w.entries[id] {
				switch e.Mode {
				case ModeModule:
				case ModeFolder:
					trees = append(trees, e.ID)
				default:
					add(e.ID)
				}
			}
			delete(w.entries, id)
		}
	}
	return nil
}

// rest adds tags, and trees and blobs that were asked for by themselves.
func (w *walk) rest(ids []string, known map[string]bool) (out []string, err error) {
	visit := func(id string) { out = append(out, id) }
	for len(ids) > 0 {
		id := ids[0]
		ids = ids[1:]
		if known[id] {
			continue
		}
		o, err := One(w.s, id)
		if err != nil {
			return nil, err
		}
		switch o.Kind {
		case Tree:
			err = w.contents([]string{id}, known, visit)
		case Tag:
			var target string
			target, err = o.tagged()
			there, err2 := w.s.Look([]string{target})
			if err2 != nil {
				return nil, err2
			}
			if there[target].Kind != Commit {
				ids = append(ids, target)
			}
			known[id] = true
			visit(id)
		case Blob:
			known[id] = true
			visit(id)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
