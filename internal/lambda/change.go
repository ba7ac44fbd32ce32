package lambda

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/lambda/code"
	"plumb/internal/lambda/environment"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
)

// MaxZip is how many bytes a zip file that comes with a request may have.
const MaxZip = 52428800

// MaxCode is how many bytes the zip files of a place's functions may have.
const MaxCode = 80530636800

// A Source is where a function's code comes from: the zip file itself, an object, or
// a program that is all of the code. Requests name no program: it is for people who
// run a server to try functions out, and spares packing, keeping and unpacking it.
type Source struct {
	Zip                  []byte
	Bucket, Key, Version string
	Program              []byte
}

// A parcel is code that was checked.
type parcel struct {
	zip     []byte // nil for a program: its folder is there
	sha     string
	size    int64
	release func() // lets the folder of a program go
}

// fetch returns the code, checked.
func (s *Service) fetch(ctx context.Context, p config.Place, from Source) (parcel, error) {
	if from.Program != nil {
		sha, release, err := s.folders.PutProgram(from.Program)
		if errors.Is(err, code.ErrTooLarge) {
			err = errTooLarge()
		}
		return parcel{sha: sha, size: int64(len(from.Program)), release: release}, err
	}
	zip, err := s.fetchZip(ctx, p, from)
	if err != nil {
		return parcel{}, err
	}
	return parcel{zip: zip, sha: code.SHA(zip), size: int64(len(zip)), release: func() {}}, nil
}

func errTooLarge() error {
	return lambdaapi.InvalidParameterValueException("Unzipped size must be smaller than %d bytes", code.MaxUnzipped)
}

// fetchZip returns the zip file, checked.
func (s *Service) fetchZip(ctx context.Context, p config.Place, from Source) ([]byte, error) {
	zip := from.Zip
	if from.Bucket != "" {
		if s.o.Object == nil {
			return nil, lambdaapi.InvalidParameterValueException("Error occurred while GetObject. S3 Error Code: NotImplemented. S3 Error Message: This server has no buckets.")
		}
		var err error
		zip, err = s.o.Object(ctx, p, from.Bucket, from.Key, from.Version)
		if e, ok := errors.AsType[*ObjectError](err); ok {
			return nil, lambdaapi.InvalidParameterValueException("Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %s", e.Code, e.Message)
		}
		if err != nil {
			return nil, fmt.Errorf("get code from bucket %s: %w", from.Bucket, err)
		}
	} else if len(zip) > MaxZip {
		return nil, tooLarge("Zipped size must be smaller than %d bytes", MaxZip)
	}
	switch err := code.Check(zip); {
	case errors.Is(err, code.ErrTooLarge):
		return nil, errTooLarge()
	case err != nil:
		return nil, lambdaapi.InvalidParameterValueException("Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	return zip, nil
}

// tooLarge is the error of a body over a limit, under the code that AWS sends.
func tooLarge(format string, args ...any) *model.Error {
	e := lambdaapi.RequestTooLargeException(format, args...)
	e.Code = "RequestEntityTooLargeException"
	return e
}

// Create makes a function and, if asked, its first version. It returns the
// version that was made last.
func (s *Service) Create(ctx context.Context, f Function, from Source, publish bool) (Function, error) {
	if err := s.mayPass(f); err != nil {
		return Function{}, err
	}
	put, err := s.fetch(ctx, f.Place, from)
	if err != nil {
		return Function{}, err
	}
	defer put.release()
	f.Version, f.CodeSHA, f.CodeSize = Latest, put.sha, put.size
	f.Revision, f.Modified = NewID(), s.now()
	out := f
	err = s.change(ctx, func(tx *db.Tx) error {
		r := Ref{Place: f.Place, Name: f.Name}
		_, err := readVersion(ctx, tx, r, Latest)
		if err == nil {
			return lambdaapi.ResourceConflictException("Function already exist: %s", f.Name)
		}
		if !errors.Is(err, errNoRow) {
			return err
		}
		if err := s.checkTarget(ctx, tx, f); err != nil {
			return err
		}
		if err := putCode(ctx, tx, put); err != nil {
			return err
		}
		if err := writeVersion(ctx, tx, f); err != nil {
			return err
		}
		if err := s.checkStorage(ctx, tx, f.Place); err != nil {
			return err
		}
		if publish {
			if out, err = s.publish(ctx, tx, f, ""); err != nil {
				return err
			}
		}
		return s.o.Changed(ctx, tx, f.Key())
	})
	return out, err
}

// A Change is what an update does to the latest version. It gets a copy whose
// maps and slices it must replace, not change.
type Change struct {
	Revision string // that the caller saw; empty for any
	Code     *Source
	Settings func(f *Function) error
	Publish  bool
	DryRun   bool
}

// Update changes the latest version. It returns the version that was made last.
func (s *Service) Update(ctx context.Context, r Ref, c Change) (Function, error) {
	var put parcel
	if c.Code != nil {
		var err error
		if put, err = s.fetch(ctx, r.Place, *c.Code); err != nil {
			return Function{}, err
		}
		defer put.release()
	}
	var out Function
	err := s.change(ctx, func(tx *db.Tx) error {
		f, err := s.latest(ctx, tx, r)
		if err != nil {
			return err
		}
		if c.Revision != "" && c.Revision != f.Revision {
			return staleRevision("GetFunction/GetAlias")
		}
		before := f
		if c.Settings != nil {
			if err := c.Settings(&f); err != nil {
				return err
			}
		}
		if f.Role != before.Role {
			if err := s.mayPass(f); err != nil {
				return err
			}
		}
		if f.DeadLetter != before.DeadLetter {
			if err := s.checkTarget(ctx, tx, f); err != nil {
				return err
			}
		}
		if c.Code != nil {
			f.CodeSHA, f.CodeSize = put.sha, put.size
		}
		f.Revision, f.Modified = NewID(), s.now()
		out = f
		if c.DryRun {
			return nil
		}
		out, err = s.store(ctx, tx, before, f, put, c.Publish)
		return err
	})
	if err == nil && !c.DryRun {
		err = s.retire(ctx, r, Latest, out.Revision)
	}
	return out, err
}

// mayPass refuses a role that the function may not have.
func (s *Service) mayPass(f Function) error {
	if s.o.MayPass == nil {
		return nil
	}
	return s.o.MayPass(f.Account, f.Role)
}

// store writes an updated latest version.
func (s *Service) store(ctx context.Context, tx *db.Tx, before, f Function, put parcel, publish bool) (Function, error) {
	if f.CodeSHA != before.CodeSHA {
		if err := putCode(ctx, tx, put); err != nil {
			return f, err
		}
	}
	if err := writeVersion(ctx, tx, f); err != nil {
		return f, err
	}
	if err := dropCode(ctx, tx, before.CodeSHA); err != nil {
		return f, err
	}
	if f.CodeSHA != before.CodeSHA {
		if err := s.checkStorage(ctx, tx, f.Place); err != nil {
			return f, err
		}
	}
	out := f
	if publish {
		var err error
		if out, err = s.publish(ctx, tx, f, ""); err != nil {
			return f, err
		}
	}
	return out, s.o.Changed(ctx, tx, f.Key())
}

func staleRevision(call string) error {
	return lambdaapi.PreconditionFailedException("The Revision Id provided does not match the latest Revision Id. Call the %s API to retrieve the latest Revision Id", call)
}

// latest returns the latest version, or the error of a missing function.
func (s *Service) latest(ctx context.Context, tx *db.Tx, r Ref) (Function, error) {
	f, err := readVersion(ctx, tx, r, Latest)
	if errors.Is(err, errNoRow) {
		return f, notFound(r)
	}
	return f, err
}

// retire takes warm environments of other revisions of a version out of use, of
// all versions if version is empty, and removes code that nothing has any more.
func (s *Service) retire(ctx context.Context, r Ref, version, revision string) error {
	function := r.unqualified().ARN()
	s.pool.Retire(func(v environment.Version) bool {
		return v.Function == function && (version == "" || v.Number == version) && (revision == "" || v.Key != versionKey(function, v.Number, revision))
	})
	return s.sweepCode(context.WithoutCancel(ctx))
}

// versionKey names what an environment runs.
func versionKey(function, version, revision string) string {
	return function + ":" + version + ":" + revision
}

// Delete removes a function with all that belongs to it, or one version.
func (s *Service) Delete(ctx context.Context, r Ref) error {
	if r.Qualifier == Latest {
		return lambdaapi.InvalidParameterValueException("$LATEST version cannot be deleted without deleting the function.")
	}
	if r.Qualifier != "" && !isVersion(r.Qualifier) {
		return lambdaapi.InvalidParameterValueException("Deletion of aliases is not currently supported.")
	}
	err := s.change(ctx, func(tx *db.Tx) error {
		f, err := readVersion(ctx, tx, r, Latest)
		if errors.Is(err, errNoRow) {
			return notFound(r)
		}
		if err != nil {
			return err
		}
		if r.Qualifier != "" {
			return deleteVersion(ctx, tx, r)
		}
		if err := deleteFunction(ctx, tx, r); err != nil {
			return err
		}
		return s.o.Changed(ctx, tx, f.Key())
	})
	if err == nil {
		err = s.retire(ctx, r, r.Qualifier, "")
	}
	return err
}

func deleteFunction(ctx context.Context, tx *db.Tx, r Ref) error {
	all, err := versions(ctx, tx, r, -1, 1<<30)
	if err != nil {
		return err
	}
	for _, table := range []string{"lambda_function", "lambda_alias", "lambda_policy", "lambda_event_invoke", "lambda_url"} {
		_, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE account = ? AND region = ? AND name = ?", r.Account, r.Region, r.Name)
		if err != nil {
			return err
		}
	}
	for _, f := range all {
		if err := dropCode(ctx, tx, f.CodeSHA); err != nil {
			return err
		}
	}
	return nil
}

// deleteVersion removes a published version; one that is not there is fine.
func deleteVersion(ctx context.Context, tx *db.Tx, r Ref) error {
	f, err := readVersion(ctx, tx, r, r.Qualifier)
	if errors.Is(err, errNoRow) {
		return nil
	}
	if err != nil {
		return err
	}
	used, err := aliases(ctx, tx, r, "", 1<<30)
	if err != nil {
		return err
	}
	for _, a := range used {
		if _, also := a.Weights[r.Qualifier]; also || a.Version == r.Qualifier {
			return lambdaapi.ResourceConflictException("Version was not deleted because the following aliases reference it: [%s]", a.Name)
		}
	}
	for _, stmt := range []string{
		"DELETE FROM lambda_function WHERE account = ? AND region = ? AND name = ? AND version = ?",
		"DELETE FROM lambda_policy WHERE account = ? AND region = ? AND name = ? AND qualifier = ?",
		"DELETE FROM lambda_event_invoke WHERE account = ? AND region = ? AND name = ? AND qualifier = ?",
	} {
		if _, err := tx.Exec(ctx, stmt, r.Account, r.Region, r.Name, r.Qualifier); err != nil {
			return err
		}
	}
	return dropCode(ctx, tx, f.CodeSHA)
}
