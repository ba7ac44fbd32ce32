package db

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// Secrets that the store keeps are sealed by a key that is not in the store, if
// there is one: who reads a copy of the store cannot use them. What was kept before
// there was a key is read as it is.

// sealMark begins what is sealed.
var sealMark = []byte("sealed:1:")

// ErrSealed is why a secret cannot be read.
var ErrSealed = errors.New("the store's secrets are sealed with another key than the setting seal-key has")

// SealWith has secrets sealed by a key from now on; the empty key seals nothing. It
// is called before the store is used.
func (d *DB) SealWith(key string) error {
	if key == "" {
		d.seal = nil
		return nil
	}
	sum := sha256.Sum256([]byte(key))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return fmt.Errorf("key that seals secrets: %w", err)
	}
	d.seal, err = cipher.NewGCM(block)
	return err
}

// Seal returns what the store keeps of a secret. The name says what it is and whose:
// the same must be given to Unseal.
func (tx *Tx) Seal(name string, secret []byte) []byte {
	aead := tx.db.seal
	if aead == nil {
		return secret
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails: package crypto/rand
	return aead.Seal(append(bytes.Clone(sealMark), nonce...), nonce, secret, []byte(name))
}

// Unseal returns a secret that the store keeps, or ErrSealed. open says that it was
// not sealed and could be: keep it anew.
func (tx *Tx) Unseal(name string, kept []byte) (secret []byte, open bool, err error) {
	aead := tx.db.seal
	text, sealed := bytes.CutPrefix(kept, sealMark)
	switch {
	case !sealed:
		return kept, aead != nil, nil
	case aead == nil || len(text) < aead.NonceSize():
		return nil, false, ErrSealed
	}
	secret, err = aead.Open(nil, text[:aead.NonceSize()], text[aead.NonceSize():], []byte(name))
	if err != nil {
		return nil, false, ErrSealed
	}
	return secret, false, nil
}
