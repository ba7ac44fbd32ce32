package db_test

import (
	"bytes"
	"errors"
	"testing"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

func TestSecretsAreReadWithTheirKeyAndNameOnly(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		with := func(key string, f func(tx *db.Tx)) {
			t.Helper()
			if err := d.SealWith(key); err != nil {
				t.Fatal(err)
			}
			err := d.Read(t.Context(), func(tx *db.Tx) error {
				f(tx)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		secret := []byte("secret")
		var open, sealed []byte
		with("", func(tx *db.Tx) { open = tx.Seal("a", secret) })
		with("one", func(tx *db.Tx) {
			sealed = tx.Seal("a", secret)
			if bytes.Contains(sealed, secret) {
				t.Errorf("it is kept as %q", sealed)
			}
			if got, again, err := tx.Unseal("a", sealed); err != nil || again || !bytes.Equal(got, secret) {
				t.Errorf("%q, %v, %v", got, again, err)
			}
			if got, again, err := tx.Unseal("a", open); err != nil || !again || !bytes.Equal(got, secret) {
				t.Errorf("what was kept before there was a key: %q, %v, %v", got, again, err)
			}
			if _, _, err := tx.Unseal("b", sealed); !errors.Is(err, db.ErrSealed) {
				t.Errorf("in another's place: %v", err)
			}
			if _, _, err := tx.Unseal("a", sealed[:12]); !errors.Is(err, db.ErrSealed) {
				t.Errorf("cut off: %v", err)
			}
		})
		for _, key := range []string{"two", ""} {
			with(key, func(tx *db.Tx) {
				if _, _, err := tx.Unseal("a", sealed); !errors.Is(err, db.ErrSealed) {
					t.Errorf("with the key %q: %v", key, err)
				}
			})
		}
	})
}
