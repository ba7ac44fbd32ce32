package delivery

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func someMessages(n, keys int) []Message {
	all := make([]Message, n)
	for i := range all {
		all[i] = Message{Key: fmt.Sprint(i % keys), Subject: fmt.Sprint(i)}
	}
	return all
}

// A service that hangs is called a few times, each for as long as one message may take.
func TestAServiceThatHangsIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), laneSlice)
		defer cancel()
		began, calls := time.Now(), atomic.Int32{}
		went := SendEach(ctx, someMessages(100, 50), 8, func(ctx context.Context, _ Message) error {
			calls.Add(1)
			<-ctx.Done()
			return ctx.Err()
		})
		if took := time.Since(began); took != laneSlice || calls.Load() != 9 {
			t.Errorf("%d calls in %s", calls.Load(), took)
		}
		for i, err := range went {
			if err == nil {
				t.Fatalf("message %d passes for sent", i)
			}
		}
	})
}

func TestMessagesOfAKeyAreSentInOrderHoweverManyAreOnTheirWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var busy, most atomic.Int32
		last := [10]atomic.Int32{}
		all := someMessages(200, 10)
		went := SendEach(t.Context(), all, 8, func(_ context.Context, m Message) error {
			most.Store(max(most.Load(), busy.Add(1)))
			defer busy.Add(-1)
			var key, n int32
			fmt.Sscan(m.Key, &key)
			fmt.Sscan(m.Subject, &n)
			time.Sleep(time.Duration(200-n) * time.Millisecond) // later ones would overtake
			if !last[key].CompareAndSwap(max(0, n-10), n) && n >= 10 {
				t.Errorf("%d of key %d came after %d", n, key, last[key].Load())
			}
			return nil
		})
		if errors.Join(went...) != nil || most.Load() != 8 {
			t.Errorf("%v, %d at once", errors.Join(went...), most.Load())
		}
	})
}
