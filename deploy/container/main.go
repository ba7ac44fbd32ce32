// Command container writes the image of Plumb without a container engine: an OCI
// layout in a tar file, which podman, docker and skopeo load.
//
//	go run ./deploy/container -output plumb.oci.tar
//	podman load -i plumb.oci.tar
//
// What the image is made of stands in the last stage of the Containerfile beside it;
// this reads it, so that both ways make the same image. The same program gives the
// same bytes. It is not part of the program plumb.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

func main() {
	var o options
	flag.StringVar(&o.program, "program", "", "the static program plumb for Linux (default: it is built)")
	flag.StringVar(&o.certificates, "certificates", "/etc/ssl/certs/ca-certificates.crt", "authorities' certificates; empty for none")
	flag.StringVar(&o.arch, "arch", runtime.GOARCH, "the architecture, as Go names it")
	flag.StringVar(&o.reference, "name", "plumb:latest", "the image's name")
	flag.StringVar(&o.containerfile, "containerfile", "deploy/container/Containerfile", "what the image is made of")
	flag.StringVar(&o.output, "output", "plumb.oci.tar", "the file to write")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "container:", err)
		os.Exit(1)
	}
}

type options struct{ program, certificates, arch, reference, containerfile, output string }

func (o options) run() (err error) {
	text, err := os.ReadFile(o.containerfile)
	if err != nil {
		return err
	}
	c, err := readContainerfile(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", o.containerfile, err)
	}
	if o.program == "" {
		dir, err := os.MkdirTemp("", "plumb-image-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if o.program = filepath.Join(dir, "plumb"); build(o.program, o.arch) != nil {
			return errors.New("plumb could not be built: run this in its repository, or give -program")
		}
	}
	files, err := o.files()
	if err != nil {
		return err
	}
	f, err := os.Create(o.output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return writeLayout(f, image{config: c, arch: o.arch, reference: o.reference, files: files})
}

func build(program, arch string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "./cmd/plumb")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// nobody owns the data folder, as the Containerfile's build stage has it.
const nobody = 65532

func (o options) files() ([]file, error) {
	program, err := os.ReadFile(o.program)
	if err != nil {
		return nil, err
	}
	files := []file{
		{name: "data/", mode: 0o700, owner: nobody}, {name: "tmp/", mode: 0o1777},
		{name: "usr/", mode: 0o755}, {name: "usr/bin/", mode: 0o755}, {name: "usr/bin/plumb", mode: 0o755, body: program},
	}
	if o.certificates == "" {
		return files, nil
	}
	certificates, err := os.ReadFile(o.certificates)
	return append(files, file{name: "etc/", mode: 0o755}, file{name: "etc/ssl/", mode: 0o755}, file{name: "etc/ssl/certs/", mode: 0o755},
		file{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, body: certificates}), err
}
