package topic

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

func TestTheKeyThatSignsIsSealedWhenThereIsAKeyToSealIt(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		signed := func(key string) (signature, kept string, err error) {
			t.Helper()
			if err := d.SealWith(key); err != nil {
				t.Fatal(err)
			}
			s := &Store{log: slog.New(slog.DiscardHandler), db: d, now: time.Now}
			err = d.Write(t.Context(), func(tx *db.Tx) error {
				k, err := s.signing(t.Context(), tx)
				if err != nil {
					return err
				}
				if signature, err = k.sign(digested("2", "text")); err != nil {
					return err
				}
				return tx.QueryRow(t.Context(), `SELECT key FROM topic_signers WHERE id = 1`).Scan(&kept)
			})
			return signature, kept, err
		}
		first, open, err := signed("")
		if err != nil || !strings.Contains(open, "BEGIN PRIVATE KEY") {
			t.Fatal(open, err)
		}
		for range 2 {
			again, sealed, err := signed("key")
			if err != nil || again != first || strings.Contains(sealed, "BEGIN PRIVATE KEY") {
				t.Errorf("%v, the same key: %v, kept as %s", err, again == first, sealed)
			}
		}
		if _, _, err := signed("another"); err == nil {
			t.Error("it is read with another key")
		}
	})
}

// All subscribers get the signature of one message, and it is what would be made anew.
func TestASignatureIsRememberedForTheNextSubscriber(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := &Store{o: Options{Endpoint: func() string { return "http://127.0.0.1:1" }}}
	k := &signer{key: key}
	s.signer.Store(k)
	var all []delivery
	for i := range 20 {
		sub := Subscription{ID: fmt.Sprint(i), Protocol: []string{"sqs", "lambda"}[i%2], Topic: "told"}
		all = append(all, delivery{Subscription: sub, m: message{ID: "one", Body: "body"}}, delivery{Subscription: sub, m: message{ID: "two", Body: "body"}})
	}
	raw := Subscription{Protocol: "sqs", Attributes: map[string]string{"RawMessageDelivery": "true"}}
	s.signAhead(t.Context(), append(all, delivery{Subscription: raw, m: message{ID: "three", Body: "body"}}))
	if len(k.made) != 2 {
		t.Errorf("%d signatures were made for two messages that are signed", len(k.made))
	}
	for _, d := range all {
		n := s.unsigned(d, "Notification")
		want := digested(n.SignatureVersion, n.signed())
		got, ok := k.made[want]
		fresh, err := (&signer{key: key}).sign(want)
		if err != nil || !ok || got != fresh {
			t.Fatalf("signature of %s: %q, want %q (%v)", d.m.ID, got, fresh, err)
		}
	}
}

// The first transaction that signs makes the key, and signs a message once for all of its
// deliveries; a server that starts later signs ahead of its first one.
func TestTheFirstTransactionSignsAMessageOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s := &Store{log: slog.New(slog.DiscardHandler), db: d, now: time.Now}
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			k, err := s.signing(t.Context(), tx)
			if err != nil {
				return err
			}
			if again, err := s.signing(t.Context(), tx); err != nil || again != k {
				t.Errorf("the transaction has another key: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		later := &Store{log: s.log, db: d, now: time.Now, o: Options{Endpoint: func() string { return "http://127.0.0.1:1" }}}
		later.signAhead(t.Context(), []delivery{{Subscription: Subscription{Protocol: "sqs"}, m: message{ID: "one"}}})
		if k := later.signer.Load(); k == nil || len(k.made) != 1 {
			t.Error("the first message of a server that has just started is not signed ahead")
		}
	})
}

func TestSignaturesAreRememberedInBounds(t *testing.T) {
	k := &signer{}
	for i := range 3 * maxSignatures {
		k.remember(toSign{"1", fmt.Sprint(i)}, "signature")
		k.remember(toSign{"1", fmt.Sprint(i)}, "signature")
	}
	last := toSign{"1", fmt.Sprint(3*maxSignatures - 1)}
	if len(k.made) != maxSignatures || len(k.order) != maxSignatures || k.made[last] == "" {
		t.Errorf("%d signatures are kept", len(k.made))
	}
}
