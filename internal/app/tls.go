package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// A certificate is read from its two files, and again when they have changed: it is
// renewed without a restart.
type certificate struct {
	log       *slog.Logger
	file, key string
	now       func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
	looked  time.Time
	version [2]fileVersion // of what was read last, well or not
}

type fileVersion struct {
	changed time.Time
	size    int64
}

// lookEvery is how often the files are looked at, while there are connections.
const lookEvery = time.Second

// openCertificate reads a certificate for the first time, when an error matters.
func openCertificate(log *slog.Logger, file, key string) (*certificate, error) {
	c := &certificate{log: log, file: file, key: key, now: time.Now}
	version, err := c.look()
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(file, key)
	if err != nil {
		return nil, err
	}
	c.current, c.version, c.looked = &pair, version, c.now()
	return c, nil
}

func (c *certificate) look() (v [2]fileVersion, err error) {
	for i, name := range []string{c.file, c.key} {
		info, err := os.Stat(name)
		if err != nil {
			return v, err
		}
		v[i] = fileVersion{info.ModTime(), info.Size()}
	}
	return v, nil
}

// get returns the certificate for a connection. Files that cannot be read, or are
// only half renewed, leave the one before in force.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.looked) >= lookEvery {
		c.looked = now
		c.renew()
	}
	return c.current, nil
}

func (c *certificate) renew() {
	version, err := c.look()
	if err == nil && version == c.version {
		return
	}
	pair, readErr := tls.LoadX509KeyPair(c.file, c.key)
	if err := errors.Join(err, readErr); err != nil {
		if version != c.version {
			c.log.Error("the new certificate cannot be used; the one before is", "file", c.file, "err", err)
		}
		c.version = version
		return
	}
	c.current, c.version = &pair, version
	c.log.Info("the certificate was renewed", "file", c.file, "until", fmt.Sprint(pair.Leaf.NotAfter))
}

// config answers with the certificate. HTTP/2 is not offered: it would have one
// connection ask for what many may.
func (c *certificate) config() *tls.Config {
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
}
