package queue

import (
	"testing"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

// What was read of a queue before a request is done is what the request finds, once; who
// changes the queue finds the change.
func TestARequestFindsTheQueueThatItWasAskedAbout(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, q := open(t, d, "asked", nil)
		ctx := Remembering(t.Context())
		if err := d.Read(ctx, func(tx *db.Tx) error { _, err := Asked(ctx, tx, q.ARN()); return err }); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(ctx, q); err != nil {
			t.Fatal(err)
		}
		other := q.Place
		other.Region = "eu-west-1"
		for i, found := range []bool{true, false} {
			got, err := s.Find(ctx, q.Place, q.Name)
			if found != (err == nil) || found && got.id != q.id {
				t.Errorf("find %d: %v, %v", i, got, err)
			}
		}
		if _, ok := recall(ctx, other, q.Name); ok {
			t.Error("another queue was found")
		}
	})
}
