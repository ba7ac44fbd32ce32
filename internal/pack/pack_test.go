package pack_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"plumb/internal/pack"
)

var sample = []byte(strings.Repeat(`{"name":"a","versioning":{"status":"Enabled"},"owner":{"displayName":null}}`, 4))

func content() ([]byte, error) { return sample, nil }

func TestATextComesBackAsItWas(t *testing.T) {
	c := pack.New()
	random := make([]byte, 300<<10)
	rand.NewChaCha8([32]byte{}).Read(random)
	for name, text := range map[string][]byte{
		"empty": {}, "short": []byte("{}"), "like the sample": sample[:70], "random": random, "longer than the window": bytes.Repeat(sample, 3000),
	} {
		for _, dictionary := range []uint32{0, 1, 70_000} {
			packed, err := c.Encode(dictionary, content, text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Decode(dictionary, content, packed)
			if err != nil || !bytes.Equal(got, text) {
				t.Fatalf("%s, dictionary %d: %d bytes, want %d (%v)", name, dictionary, len(got), len(text), err)
			}
		}
	}
}

func TestADictionaryMakesShortTextsShorter(t *testing.T) {
	c := pack.New()
	text := bytes.Replace(sample[:len(sample)/4], []byte(`"a"`), []byte(`"logs"`), 1)
	with, err := c.Encode(1, content, text)
	if err != nil {
		t.Fatal(err)
	}
	without, err := c.Encode(0, nil, text)
	if err != nil {
		t.Fatal(err)
	}
	if len(with)*2 > len(without) {
		t.Fatalf("%d bytes with a dictionary, %d without", len(with), len(without))
	}
}

func TestAWrongDictionaryIsAnError(t *testing.T) {
	c := pack.New()
	packed, err := c.Encode(1, content, sample[:70])
	if err != nil {
		t.Fatal(err)
	}
	if text, err := c.Decode(2, content, packed); err == nil {
		t.Fatalf("unpacked %q with another dictionary", text)
	}
	missing := errors.New("no such dictionary")
	if _, err := c.Decode(3, func() ([]byte, error) { return nil, missing }, packed); !errors.Is(err, missing) {
		t.Fatalf("got %v, want the loader's error", err)
	}
}

func TestMoreDictionariesThanAreKeptTakeTurns(t *testing.T) {
	c := pack.New()
	var wg sync.WaitGroup
	for n := range uint32(4) {
		wg.Go(func() {
			for i := range uint32(60) {
				id := 1 + (n+i)%40
				load := func() ([]byte, error) { return []byte(strings.Repeat(fmt.Sprint("dictionary ", id), 9)), nil }
				text := []byte(fmt.Sprint("dictionary ", id, " and more"))
				packed, err := c.Encode(id, load, text)
				if err == nil {
					var got []byte
					if got, err = c.Decode(id, load, packed); !bytes.Equal(got, text) {
						t.Errorf("got %q, want %q", got, text)
					}
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
