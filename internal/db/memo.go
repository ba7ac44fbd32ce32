package db

import "sync"

// most texts that a memo remembers before it begins anew.
const mostRemembered = 10_000

// A memo remembers what texts of the store mean.
type memo struct {
	mu    sync.Mutex
	known map[string]any
}

// Decoded returns what decode makes of a text that is read again and again, such
// as the definition of a rule. Who gets the value shares it and does not change
// it. A text always means the same, so nothing is ever out of date.
func Decoded[T any](tx *Tx, text string, decode func(text []byte, v *T) error) (v T, err error) {
	m := &tx.db.memo
	m.mu.Lock()
	known, ok := m.known[text].(T)
	m.mu.Unlock()
	if ok {
		return known, nil
	}
	if err := decode([]byte(text), &v); err != nil {
		return v, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= mostRemembered {
		m.known = map[string]any{}
	}
	m.known[text] = v
	return v, nil
}
