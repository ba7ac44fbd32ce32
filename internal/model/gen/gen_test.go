package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestGeneratedCodeIsFresh(t *testing.T) {
	files, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run make generate", name)
		}
	}
	written, err := filepath.Glob("../*api/*.gen.go")
	if err != nil || len(written) != len(files) {
		t.Errorf("%d files are generated, %d lie there (%v)", len(files), len(written), err)
	}
}

func TestConstantNamesAreReadable(t *testing.T) {
	for value, want := range map[string]string{
		"NON_COMPLIANT": "NonCompliant", "One_Hour": "OneHour", "AWS::EC2::VPC": "AWSEC2VPC",
		"python3.13": "Python313", "guard-2.x.x": "Guard2XX", "*": "Any",
	} {
		if got := constant(value); got != want {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
}
