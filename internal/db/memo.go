package db

// The sizes of the caches of a store, in bytes of the texts that they are kept
// by. What is decoded takes about as much again.
const (
	decodedSize   = 16 << 20
	rewrittenSize = 1 << 20
)

// Decoded returns what decode makes of a text that is read again and again, such
// as the definition of a rule. Callers share the value and do not change
// it. A text always means the same, so nothing is ever out of date.
func Decoded[T any](tx *Tx, text string, decode func(text []byte, v *T) error) (v T, err error) {
	known, _ := tx.db.decoded.get(text)
	if v, ok := known.(T); ok {
		return v, nil
	}
	if err := decode([]byte(text), &v); err != nil {
		return v, err
	}
	tx.db.decoded.put(text, v)
	return v, nil
}
