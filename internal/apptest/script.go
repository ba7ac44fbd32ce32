package apptest

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/rogpeppe/go-internal/testscript"

	"plumb/internal/settings"
)

// Scripts runs the stories of a folder: text files with commands, and the files
// that these need. Every story has a server of its own, and these commands beside
// those of testscript:
//
//	serve [SETTING=VALUE ...]   start the server, or start it again on the same data
//	aws ARGS                    the AWS CLI as a person would use it; without one the story is skipped
//	record                      a recorder with a channel: bucket "delivered", topic "published", queue "received"
//	function NAME FILE HANDLER  a Python function of the file, which AWS Config may invoke
//	receiver NAME               a function that prints its events and answers each with itself
//	event NAME KIND FILE        the last event that a function printed, as KIND of aws-lambda-go, has the members of the file (see event.go)
//	target                      moto as the account's own cloud, which TARGET then names: "serve target=$TARGET"; without one the story is skipped
//	cloud s3 VERB BUCKET [ARGS] what happens to resources: make, remove, enable-versioning, suspend-versioning, tag KEY=VALUE
//	drain                       run all that is due until nothing is
//	advance DURATION            move the server's clock
//	freeze                      stop the server's clock
//	published PATTERN ...       a message was published that all patterns match; it is taken away
//	delivered PATTERN           the key of a delivered file matches
func Scripts(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir:   dir,
		Setup: setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":     told((*story).serve),
			"aws":       awsCLI,
			"record":    told((*story).record),
			"function":  told((*story).function),
			"receiver":  told((*story).receiver),
			"event":     told((*story).event),
			"target":    told((*story).target),
			"cloud":     told((*story).cloud),
			"drain":     told((*story).drainAll),
			"advance":   told((*story).advance),
			"freeze":    told((*story).freeze),
			"published": asked((*story).published),
			"delivered": asked((*story).delivered),
		},
	})
}

type storyKey struct{}

// A story is the state of one script.
type story struct {
	t        testscript.T
	plumb    *Plumb
	received []string // messages that were received and not yet asked for
}

func setUp(e *testscript.Env) error {
	st := &story{t: e.T()}
	e.Values[storyKey{}] = st
	e.Setenv("HOME", e.WorkDir) // nobody's own AWS files
	e.Defer(func() {
		if st.plumb == nil {
			return
		}
		if err := st.plumb.halt(); err != nil {
			st.t.Log("stop: ", err)
		}
	})
	return nil
}

// told makes a command of a method that does something.
func told(do func(*story, *testscript.TestScript, []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		err := do(ts.Value(storyKey{}).(*story), ts, args)
		switch {
		case err != nil && !neg:
			ts.Fatalf("%v", err)
		case err == nil && neg:
			ts.Fatalf("it worked, and should not have")
		}
	}
}

// asked makes a command of a method that answers whether something is so.
func asked(is func(*story, []string) (bool, error)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		yes, err := is(ts.Value(storyKey{}).(*story), args)
		if err != nil {
			ts.Fatalf("%v", err)
		}
		if yes == neg {
			ts.Fatalf("%s: %v", strings.Join(args, " "), yes)
		}
	}
}

func (st *story) serve(ts *testscript.TestScript, args []string) error {
	if st.plumb != nil {
		if err := st.plumb.halt(); err != nil {
			return err
		}
	}
	flags := map[string]string{"listen": "127.0.0.1:0", "data": filepath.Join(ts.Getenv("WORK"), ".plumb")}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		flags[name] = value
	}
	s, err := settings.Load(flags, func(string) (string, bool) { return "", false })
	if err != nil {
		return err
	}
	st.plumb = &Plumb{Server: &Server{settings: s, http: awshttp.NewBuildableClient()}, account: s.Account, region: s.Region}
	if err := st.plumb.launch(); err != nil {
		st.plumb = nil
		return err
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": st.plumb.URL(), "AWS_ACCESS_KEY_ID": s.Account, "AWS_SECRET_ACCESS_KEY": "any",
		"AWS_REGION": s.Region, "AWS_DEFAULT_REGION": s.Region, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "",
	} {
		ts.Setenv(name, value)
	}
	return nil
}

func awsCLI(ts *testscript.TestScript, neg bool, args []string) {
	cli, err := exec.LookPath("aws")
	if err != nil {
		ts.Value(storyKey{}).(*story).t.Skip("no AWS CLI: install awscli to run this story")
	}
	err = ts.Exec(cli, args...)
	if err != nil && !neg {
		ts.Fatalf("aws %s: %v", strings.Join(args, " "), err)
	}
	if err == nil && neg {
		ts.Fatalf("aws %s worked, and should not have", strings.Join(args, " "))
	}
}

func (st *story) drainAll(*testscript.TestScript, []string) error { return st.plumb.drain() }

func (st *story) advance(_ *testscript.TestScript, args []string) error {
	d, err := time.ParseDuration(strings.Join(args, ""))
	if err == nil {
		st.plumb.Clock().Advance(d)
	}
	return err
}

func (st *story) freeze(*testscript.TestScript, []string) error {
	st.plumb.Clock().Freeze(time.Time{})
	return nil
}
