package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// explain returns what a person reads of an error of a command: what happened, where and
// what to do, without the words of Go's packages.
func explain(cmd *cobra.Command, err error) string {
	text := err.Error()
	if strings.Contains(text, " arg(s), ") { // cobra's count
		return fmt.Sprintf("%s is called as %s", cmd.CommandPath(), cmd.UseLine())
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		if op, ok := errors.AsType[*net.OpError](u.Err); ok && op.Op == "dial" {
			return fmt.Sprintf("nothing answers at %s (%s): \"plumb serve\" starts a server, and --endpoint names another one", origin(u.URL), reason(op.Err))
		}
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return strings.Replace(text, p.Error(), p.Path+": "+p.Err.Error(), 1)
	}
	return text
}

// origin is a URL without its path.
func origin(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	return u.Scheme + "://" + u.Host
}

// reason is an error of a connection without the name of the call that failed.
func reason(err error) string {
	if s, ok := errors.AsType[*os.SyscallError](err); ok {
		return s.Err.Error()
	}
	return err.Error()
}
