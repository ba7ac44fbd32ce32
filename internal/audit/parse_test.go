package audit_test

import (
	"errors"
	"slices"
	"testing"

	"plumb/internal/audit"
	"plumb/internal/db"
)

func TestNamesOfARecordAreThoseThatTheStoreTakes(t *testing.T) {
	e, err := audit.ParseRecord([]byte(`{"eventTime":"2026-03-10T12:00:00Z","eventSource":"s3.amazonaws.com","eventName":"PutBucketTagging","awsRegion":"us-east-1",
		"eventID":"e-1","recipientAccountId":"123456789012","resources":[{"ARN":"arn:aws:s3:::a\u0000"}],"requestParameters":{"bucketName":["b","c\u0000"]}}`), "x")
	if err != nil || !slices.Equal(e.Resources, []string{"b"}) {
		t.Errorf("names %q: %v", e.Resources, err)
	}
}

func TestAForwardedEventIsKeptWithWhatFollowsFromItsRecord(t *testing.T) {
	run(t, audit.Management, func(w *world) {
		for _, end := range []error{errors.New("no"), nil, nil} { // and once more, as the record may come
			err := w.db.Write(t.Context(), func(tx *db.Tx) error {
				for _, e := range []audit.Event{{ID: "e-1"}, {ID: "e-2", Data: true}} {
					e.At, e.Place, e.Service, e.Operation, e.Forwarder = w.clock.Now(), place, "s3", "CreateBucket", "sqs"
					if err := w.log.KeepForwarded(t.Context(), tx, e); err != nil {
						return err
					}
				}
				return end
			})
			if !errors.Is(err, end) {
				t.Fatal(err)
			}
			var found []audit.Event
			err = w.db.Read(t.Context(), func(tx *db.Tx) (err error) {
				found, err = audit.Find(t.Context(), tx, audit.Query{Limit: 10})
				return err
			})
			if err != nil || (end != nil) != (len(found) == 0) || len(found) > 1 || len(found) == 1 && (found[0].ID != "e-1" || found[0].Kind != audit.APICall) {
				t.Errorf("after %v there are %+v: %v", end, found, err)
			}
		}
	})
}
