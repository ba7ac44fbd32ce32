package db

import (
	"context"
	"reflect"
)

// Shared returns the value of type T that belongs to the open store, such as a
// cache of what never changes; the first caller makes it. It is used by all
// transactions at once. Empty drops it.
func Shared[T any](tx *Tx, fresh func() T) T {
	key := reflect.TypeFor[T]()
	if v, ok := tx.db.shared.Load(key); ok {
		return v.(T)
	}
	v, _ := tx.db.shared.LoadOrStore(key, fresh())
	return v.(T)
}

// Local returns the value of type T that belongs to the transaction; the first
// caller makes it.
func Local[T any](tx *Tx, fresh func() T) T {
	key := reflect.TypeFor[T]()
	if v, ok := tx.local[key]; ok {
		return v.(T)
	}
	if tx.local == nil {
		tx.local = map[reflect.Type]any{}
	}
	v := fresh()
	tx.local[key] = v
	return v
}

// BeforeCommit has f called when the transaction's work is done, before it is
// committed. It is for rows that many transactions change: they are locked last,
// and for a short time. What f returns ends the transaction.
func (tx *Tx) BeforeCommit(f func(ctx context.Context, tx *Tx) error) {
	tx.before = append(tx.before, f)
}

// finish calls what was handed to BeforeCommit, also by what it calls.
func (tx *Tx) finish(ctx context.Context) error {
	for len(tx.before) > 0 {
		f := tx.before[0]
		tx.before = tx.before[1:]
		if err := f(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// Trace has f called with every statement of every transaction, for tests that
// look at plans. It is set before the store is used; nil ends it.
func (d *DB) Trace(f func(query string, args []any)) { d.trace = f }

func (tx *Tx) traced(query string, args []any) {
	if f := tx.db.trace; f != nil {
		f(query, args)
	}
}
