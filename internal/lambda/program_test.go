package lambda_test

import (
	"archive/zip"
	"bytes"
	"io"
	"testing"

	"plumb/internal/lambda"
)

// unzipped returns the content of the only file of an archive.
func (s *stage) unzipped(archive []byte) []byte {
	s.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	s.must(err)
	f, err := z.File[0].Open()
	s.must(err)
	defer f.Close()
	content, err := io.ReadAll(f)
	s.must(err)
	return content
}

// Code that is one program runs, is published and downloaded like any other, though
// no zip file of it is kept.
func TestProgramIsCodeWithoutAZipFile(t *testing.T) {
	suite(t, func(s *stage) {
		ctx := s.Context()
		program := append(s.unzipped(s.zip), "another one"...)
		f, err := s.Update(ctx, s.ref, lambda.Change{Code: &lambda.Source{Program: program}, Publish: true})
		s.must(err)
		if f.Version != "1" || f.CodeSize != int64(len(program)) {
			s.Errorf("version %s of %d bytes", f.Version, f.CodeSize)
		}
		archive, ok, err := s.Service.Code(ctx, f.CodeSHA)
		s.must(err)
		if !ok || !bytes.Equal(s.unzipped(archive), program) {
			s.Error("the program cannot be downloaded")
		}
		s.make("g") // what is unpacked and not needed would go now
		s.must(s.Delete(ctx, lambda.Ref{Place: s.ref.Place, Name: "g"}))
		one := s.ref
		one.Qualifier = "1"
		for _, r := range []lambda.Ref{s.ref, one} {
			if a := s.invoke(r, `{"return": 1}`); string(a.Payload) != "1" {
				s.Errorf("%+v answers %s", r, a.Payload)
			}
		}
		s.must(s.Delete(ctx, s.ref))
		if _, ok, err := s.Service.Code(ctx, f.CodeSHA); ok || err != nil {
			s.Errorf("deleted code is there: %v, %v", ok, err)
		}
	})
}

func TestProgramHasTheLimitOfCode(t *testing.T) {
	suite(t, func(s *stage) {
		_, err := s.Update(s.Context(), s.ref, lambda.Change{Code: &lambda.Source{Program: make([]byte, 262144001)}})
		s.code(err, "InvalidParameterValueException")
	})
}
