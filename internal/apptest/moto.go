package apptest

import (
	"errors"

	"github.com/rogpeppe/go-internal/testscript"

	"plumb/internal/apptest/moto"
)

// target starts a cloud that a story's server has as its target.
func (st *story) target(ts *testscript.TestScript, _ []string) error {
	url, stop, err := moto.Start()
	if errors.Is(err, moto.ErrNone) {
		st.t.Skip(err)
	}
	if err != nil {
		return err
	}
	ts.Defer(stop)
	ts.Setenv("TARGET", url)
	return nil
}
