package topic

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"

	"plumb/internal/db"
)

// A signer signs messages with a key whose certificate is served to whoever
// wants to check.
type signer struct {
	key         *rsa.PrivateKey
	certificate string // PEM
	open        string // the key's text, if it is kept open and could be sealed

	mu    sync.Mutex
	made  map[toSign]string // the signatures that were made last
	order []toSign          // of these, the oldest first
}

// maxSignatures is how many signatures are remembered: a message has the same one for
// all subscribers, and to make it takes longer than all else.
const maxSignatures = 4096

// toSign is what a signature is made of.
type toSign struct{ version, digest string }

// signing returns the key that every server of this store signs with. The first
// one who asks makes it.
func (s *Store) signing(ctx context.Context, tx *db.Tx) (*signer, error) {
	if known := s.signer.Load(); known != nil {
		return known, nil
	}
	own := db.Local(tx, func() *ownSigner { return &ownSigner{} })
	if own.signer != nil {
		return own.signer, nil
	}
	found, err := readSigner(ctx, tx)
	if errors.Is(err, db.ErrNoRows) {
		found, err = s.makeSigner(ctx, tx)
	}
	if err == nil && found.open != "" {
		_, err = tx.Exec(ctx, `UPDATE topic_signers SET key = ? WHERE id = 1`, sealKey(tx, []byte(found.open)))
	}
	if err != nil {
		return nil, fmt.Errorf("key that signs messages: %w", err)
	}
	own.signer = found
	// If this transaction fails, a new key is gone with it.
	tx.AfterCommit(func() { s.signer.Store(found) })
	return found, nil
}

// An ownSigner is the key that a transaction read or made, until others have it: with the
// signatures that it made, which all deliveries of the transaction share.
type ownSigner struct{ *signer }

// committedSigner returns the key if there is one before a transaction signs: a server that
// has just started signs ahead, too. Nil says that the transaction has to find it.
func (s *Store) committedSigner(ctx context.Context) *signer {
	if known := s.signer.Load(); known != nil {
		return known
	}
	var found *signer
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = readSigner(ctx, tx)
		return err
	})
	if err != nil || found.open != "" { // the transaction says why, or seals it
		return nil
	}
	s.signer.Store(found)
	return found
}

func readSigner(ctx context.Context, tx *db.Tx) (*signer, error) {
	var key string
	var out signer
	if err := tx.QueryRow(ctx, `SELECT key, certificate FROM topic_signers WHERE id = 1`).Scan(&key, &out.certificate); err != nil {
		return nil, err
	}
	text, open, err := openKey(tx, key)
	if err != nil {
		return nil, err
	}
	if open {
		out.open = key
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the stored key is not PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	var ok bool
	if out.key, ok = parsed.(*rsa.PrivateKey); !ok {
		return nil, errors.New("the stored key is not an RSA key")
	}
	return &out, nil
}

// keyName is what the key is sealed as. Sealed, its text is PEM too.
const keyName = "topic signer"

const sealedBlock = "SEALED PRIVATE KEY"

func sealKey(tx *db.Tx, text []byte) string {
	kept := tx.Seal(keyName, text)
	if bytes.Equal(kept, text) {
		return string(text)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: sealedBlock, Bytes: kept}))
}

func openKey(tx *db.Tx, text string) (secret []byte, open bool, err error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != sealedBlock {
		return tx.Unseal(keyName, []byte(text))
	}
	return tx.Unseal(keyName, block.Bytes)
}

func (s *Store) makeSigner(ctx context.Context, tx *db.Tx) (*signer, error) {
	if err := tx.Lock(ctx, "topic signer"); err != nil {
		return nil, err
	}
	if other, err := readSigner(ctx, tx); !errors.Is(err, db.ErrNoRows) {
		return other, err // another server was faster
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	certificate, err := selfSigned(key, s.now())
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	_, err = tx.Exec(ctx, `INSERT INTO topic_signers (id, key, certificate) VALUES (1, ?, ?)`, sealKey(tx, []byte(text)), certificate)
	return &signer{key: key, certificate: certificate}, err
}

func selfSigned(key *rsa.PrivateKey, now time.Time) (string, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return "", err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "sns.amazonaws.com", Organization: []string{"Plumb"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(20, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), nil
}

// digested returns what is signed of a text: SHA-1 for version 1, SHA-256 for 2.
func digested(version, text string) toSign {
	if version == "2" {
		sum := sha256.Sum256([]byte(text))
		return toSign{version, string(sum[:])}
	}
	sum := sha1.Sum([]byte(text))
	return toSign{version, string(sum[:])}
}

// sign returns the signature of a digest.
func (k *signer) sign(d toSign) (string, error) {
	k.mu.Lock()
	known, ok := k.made[d]
	k.mu.Unlock()
	if ok {
		return known, nil
	}
	hash := crypto.SHA1
	if d.version == "2" {
		hash = crypto.SHA256
	}
	sig, err := rsa.SignPKCS1v15(nil, k.key, hash, []byte(d.digest))
	if err != nil {
		return "", fmt.Errorf("sign message: %w", err)
	}
	text := base64.StdEncoding.EncodeToString(sig)
	k.remember(d, text)
	return text, nil
}

func (k *signer) remember(d toSign, signature string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.made == nil {
		k.made = map[toSign]string{}
	}
	if _, ok := k.made[d]; ok {
		return
	}
	if len(k.order) == maxSignatures {
		delete(k.made, k.order[0])
		k.order = k.order[1:]
	}
	k.made[d], k.order = signature, append(k.order, d)
}

// signAhead makes the signatures that deliveries need, on all processors, so that the
// transaction that hands them over only looks them up: nobody else writes meanwhile.
func (s *Store) signAhead(ctx context.Context, all []delivery) {
	key := s.committedSigner(ctx)
	if key == nil {
		return // the first one is signed where the key is made
	}
	wanted := map[toSign]bool{}
	for _, d := range all {
		if d.Protocol == "lambda" || d.Protocol == "sqs" && d.Attributes["RawMessageDelivery"] != "true" {
			n := s.unsigned(d, "Notification")
			wanted[digested(n.SignatureVersion, n.signed())] = true
		}
	}
	next := make(chan toSign)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(wanted)) {
		wg.Go(func() {
			for d := range next {
				_, _ = key.sign(d) // an error comes again where the signature is used
			}
		})
	}
	for d := range wanted {
		next <- d
	}
	close(next)
	wg.Wait()
}

// certificatePath begins the paths under which certificates are served.
const certificatePath = "/SimpleNotificationService-"

func (k *signer) path() string {
	sum := sha256.Sum256([]byte(k.certificate))
	return certificatePath + hex.EncodeToString(sum[:16]) + ".pem"
}

// IsCertificate reports whether a path is one of a certificate.
func IsCertificate(path string) bool { return strings.HasPrefix(path, certificatePath) }

// ServeCertificate answers the certificate that messages name, to anybody.
func (s *Store) ServeCertificate(w http.ResponseWriter, r *http.Request) {
	var key *signer
	err := s.db.Read(r.Context(), func(tx *db.Tx) (err error) {
		key, err = readSigner(r.Context(), tx)
		return err
	})
	if err != nil || r.URL.Path != key.path() {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	_, _ = w.Write([]byte(key.certificate)) // the client may be gone
}
