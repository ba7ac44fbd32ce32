package model

import "time"

// Members of shapes are pointers: nil is a member that was not sent, or is not to be.

// Deref returns what a member holds; the zero value if it was not sent.
func Deref[T any](v *T) (out T) {
	if v != nil {
		out = *v
	}
	return out
}

// Optional returns a member that holds v; none for the zero value.
func Optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// Moment returns a member that holds a time; none for a time that is zero.
func Moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
