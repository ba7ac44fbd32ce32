package queue

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
)

// A notifier wakes those who wait for a queue's messages in this process. It is only
// a hint: who waits looks again by itself.
type notifier struct {
	mu      sync.Mutex
	waiting map[int64]chan struct{}
}

func newNotifier() *notifier { return &notifier{waiting: map[int64]chan struct{}{}} }

// listen returns a channel that is closed at the next ring.
func (b *notifier) listen(queue int64) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	ch, ok := b.waiting[queue]
	if !ok {
		ch = make(chan struct{})
		b.waiting[queue] = ch
	}
	return ch
}

func (b *notifier) notify(queue int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ch, ok := b.waiting[queue]; ok {
		close(ch)
		delete(b.waiting, queue)
	}
}

func newNonce() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails: package crypto/rand
	return hex.EncodeToString(b[:])
}

// newUUID returns a random UUID, which is what message ids are.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: package crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
