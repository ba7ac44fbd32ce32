package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// An image is one layer, and how it is run.
type image struct {
	config    config
	arch      string
	reference string
	files     []file
}

// A file is part of the layer; a name that ends in a slash is a folder.
type file struct {
	name  string
	mode  int64
	owner int
	body  []byte
}

// A descriptor names a blob.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Platform    map[string]string `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// The media types of the OCI image specification.
const (
	indexType    = "application/vnd.oci.image.index.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// made is when everything was made, as far as the image says.
var made = time.Unix(0, 0).UTC()

// writeLayout writes an OCI layout as a tar file.
func writeLayout(w io.Writer, i image) error {
	layout := layoutWriter{tar: tar.NewWriter(w)}
	plain, err := archive(i.files)
	if err != nil {
		return err
	}
	packed, err := compress(plain)
	if err != nil {
		return err
	}
	layer := layout.blob(layerType, packed)
	settings := layout.json(configType, map[string]any{
		"created": made.Format(time.RFC3339), "architecture": i.arch, "os": "linux", "config": i.config,
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{digest(plain)}},
		"history": []any{map[string]any{"created": made.Format(time.RFC3339), "created_by": "go run ./deploy/container"}},
	})
	manifest := layout.json(manifestType, map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "config": settings, "layers": []descriptor{layer},
	})
	manifest.Platform = map[string]string{"architecture": i.arch, "os": "linux"}
	manifest.Annotations = map[string]string{"org.opencontainers.image.ref.name": i.reference, "io.containerd.image.name": "docker.io/library/" + i.reference}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": indexType, "manifests": []descriptor{manifest}})
	layout.note(err)
	layout.add("index.json", index)
	layout.add("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	layout.note(layout.tar.Close())
	return layout.err
}

// A layoutWriter keeps the first error.
type layoutWriter struct {
	tar *tar.Writer
	err error
}

func (l *layoutWriter) note(err error) {
	if l.err == nil {
		l.err = err
	}
}

func (l *layoutWriter) add(name string, body []byte) {
	if l.err == nil {
		l.note(addFile(l.tar, file{name: name, mode: 0o644, body: body}))
	}
}

func (l *layoutWriter) blob(mediaType string, body []byte) descriptor {
	d := descriptor{MediaType: mediaType, Digest: digest(body), Size: len(body)}
	l.add("blobs/sha256/"+d.Digest[len("sha256:"):], body)
	return d
}

func (l *layoutWriter) json(mediaType string, v any) descriptor {
	body, err := json.Marshal(v)
	l.note(err)
	return l.blob(mediaType, body)
}

func digest(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }

func archive(files []file) ([]byte, error) {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	for _, f := range files {
		if err := addFile(t, f); err != nil {
			return nil, err
		}
	}
	err := t.Close()
	return b.Bytes(), err
}

func addFile(t *tar.Writer, f file) error {
	h := &tar.Header{Name: f.name, Mode: f.mode, Uid: f.owner, Gid: f.owner, Size: int64(len(f.body)), ModTime: made, Typeflag: tar.TypeReg}
	if f.name[len(f.name)-1] == '/' {
		h.Typeflag = tar.TypeDir
	}
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	_, err := t.Write(f.body)
	return err
}

func compress(b []byte) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	err := z.Close()
	return out.Bytes(), err
}
