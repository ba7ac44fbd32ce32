package authority

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Trust is what clients need to trust an authority: files, by their paths.
type Trust struct {
	Own    string   // the authority alone, for clients that add it to what they have
	Bundle string   // the authority and whom the host trusts
	System []string // where the host keeps whom it trusts: Bundle may stand there instead
}

// systemBundles are where systems keep whom they trust in one file.
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/cacert.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
}

// Install writes the files into a folder that is made for them.
func (a *Authority) Install(dir string) (Trust, error) {
	t := Trust{Own: filepath.Join(dir, "ca.pem"), Bundle: filepath.Join(dir, "bundle.pem")}
	var roots []byte
	for _, path := range systemBundles {
		// A link leads to a file elsewhere, which is what can be put aside.
		real, err := filepath.EvalSymlinks(path)
		if err != nil || slices.Contains(t.System, real) {
			continue
		}
		text, err := os.ReadFile(real)
		if err != nil {
			continue
		}
		if len(t.System) == 0 {
			roots = text
		}
		t.System = append(t.System, real)
	}
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return t, fmt.Errorf("folder for certificates: %w", err)
	}
	for path, text := range map[string][]byte{t.Own: own, t.Bundle: append(append(bytes.TrimRight(roots, "\n"), '\n'), own...)} {
		if err := replace(path, text); err != nil {
			return t, fmt.Errorf("write certificates for functions: %w", err)
		}
	}
	return t, nil
}

// replace writes a file that functions may be reading, whole or not at all.
func replace(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	if err := os.Chmod(path+".new", 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
