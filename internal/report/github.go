package report

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// GitHub writes what failed as workflow commands, which GitHub shows beside the
// lines of a change.
func GitHub(w io.Writer, r Report) error {
	value := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	text := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	for _, f := range r.findings() {
		level := "error"
		if f.status == Skipped {
			level = "notice"
		}
		message := f.text
		if f.detail != "" {
			message += "\n" + f.detail
		}
		_, err := fmt.Fprintf(w, "::%s file=%s,line=%d,title=%s::%s\n", level, value.Replace(filepath.ToSlash(Relative(f.path))),
			f.line, value.Replace(f.suite), text.Replace(message))
		if err != nil {
			return err
		}
	}
	return nil
}
