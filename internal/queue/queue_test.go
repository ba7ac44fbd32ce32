package queue

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
	"plumb/internal/model/sqsapi"
)

func open(t *testing.T, d *db.DB, name string, attributes map[string]string) (*Store, Queue) {
	t.Helper()
	clk := &clock.Clock{}
	log := slog.New(slog.DiscardHandler)
	jobs, err := job.New(t.Context(), d, log, clk, "test")
	if err != nil {
		t.Fatal(err)
	}
	s := New(log, d, jobs, clk.Now, Options{})
	q, err := s.Create(t.Context(), Queue{Place: config.Place{Account: "123456789012", Region: "us-east-1"}, Name: name, Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return s, q
}

// receiveAll has several receivers take messages at once until n were taken.
func receiveAll(t *testing.T, s *Store, q Queue, n int) (bodies []string) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for range 6 {
		all.Go(func() {
			for ctx.Err() == nil {
				got, err := s.Receive(ctx, q, ReceiveRequest{Max: 3, Visibility: time.Hour})
				if err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, m := range got {
					bodies = append(bodies, m.Body)
				}
				if len(bodies) >= n {
					cancel()
				}
				mu.Unlock()
				err = s.Write(t.Context(), func(tx *db.Tx) error {
					for _, m := range got {
						if err := s.DeleteMessage(t.Context(), tx, q, m.Receipt); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	return bodies
}

func TestAQueueWithoutTagsIsTheSameBeforeAndAfterAChange(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, q := open(t, d, "work", nil)
		if err := s.SetAttributes(t.Context(), q, map[string]string{"VisibilityTimeout": "33"}); err != nil {
			t.Fatal(err)
		}
		after, err := s.Find(t.Context(), q.Place, q.Name)
		if err != nil || q.Tags != nil || after.Tags != nil {
			t.Fatalf("tags were %v and are %v, %v", q.Tags, after.Tags, err)
		}
	})
}

func TestNoTwoReceiversGetTheSameMessage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, q := open(t, d, "work", nil)
		var want []string
		var all sync.WaitGroup
		for i := range 4 {
			for j := range 25 {
				want = append(want, fmt.Sprintf("%02d-%02d", i, j))
			}
			all.Go(func() {
				for j := range 25 {
					err := s.Write(t.Context(), func(tx *db.Tx) error { return s.Send(t.Context(), tx, q.ARN(), fmt.Sprintf("%02d-%02d", i, j), nil) })
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		got := receiveAll(t, s, q, len(want))
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("received %v", got)
		}
	})
}

func TestManySendersToOneFIFOQueueGetOneOrder(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, q := open(t, d, "order.fifo", map[string]string{"FifoQueue": "true"})
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				for j := range 20 {
					body := fmt.Sprintf("%d-%02d", i, j)
					err := s.Write(t.Context(), func(tx *db.Tx) error {
						return s.Deliver(t.Context(), tx, q.ARN(), sqsapi.SendMessageInput{MessageBody: &body, MessageGroupId: new(fmt.Sprint(i)), MessageDeduplicationId: &body})
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		got := receiveAll(t, s, q, 80)
		if len(got) != 80 {
			t.Fatalf("received %d messages, want 80", len(got))
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != 80 {
			t.Error("a message was received twice")
		}
	})
}

func TestAMessageWhoseTransactionFailsWasNeverSent(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s, q := open(t, d, "work", nil)
		err := s.Write(t.Context(), func(tx *db.Tx) error {
			if err := s.Send(t.Context(), tx, q.ARN(), "undone", nil); err != nil {
				return err
			}
			return context.Canceled
		})
		if err == nil {
			t.Error("the transaction did not fail")
		}
		got, err := s.Receive(t.Context(), q, ReceiveRequest{Max: 1, Visibility: -1})
		if len(got) > 0 || err != nil {
			t.Errorf("received %v, %v", got, err)
		}
	})
}

func TestReceiveThatWaitsEndsWithTheServer(t *testing.T) {
	s, q := open(t, dbtest.Open(t), "empty", nil)
	stopping := make(chan struct{})
	s.o.Stopping = stopping
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second) // less than the wait: a receive that goes on fails
	defer cancel()
	close(stopping)
	got, err := s.Receive(ctx, q, ReceiveRequest{Max: 1, Visibility: time.Hour, Wait: 20 * time.Second})
	if err != nil || len(got) != 0 {
		t.Fatalf("got %v, %v", got, err)
	}
}
