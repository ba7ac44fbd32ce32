package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"plumb/internal/app"
	"plumb/internal/demo"
	"plumb/internal/lambda/environment"
	"plumb/internal/rulebench"
	"plumb/internal/settings"
)

func newDemoCommand() *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the main job in a few seconds",
		Long: `Demo starts a server on a free port with a temporary folder and shows the main job as an AWS client
sees it: it makes a bucket, a topic, a queue, a recorder, a delivery channel, a managed rule and a
custom rule, changes the bucket, and prints what was recorded, each rule's verdict, what the queue
received and what is in S3, with times. It needs nothing but this program.`,
		Example: "  plumb demo\n  plumb demo --keep",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd, keep)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the server running until a signal, and say how to go on with the AWS CLI")
	return cmd
}

func runDemo(cmd *cobra.Command, keep bool) (err error) {
	dir, err := os.MkdirTemp("", "plumb-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := settings.Default()
	s.Listen, s.Data, s.LogLevel = "127.0.0.1:0", dir, "error"
	if !keep {
		s.Console = settings.NoConsole
	}
	log := newLog(cmd, s)
	ctx, cancel := stopSignal(cmd.Context(), log)
	defer cancel()
	begun := time.Now()
	a, err := app.New(ctx, s, log, app.Options{Version: version(), Functions: rulebench.NewDesk(log, s)})
	if err != nil {
		return err
	}
	defer func() {
		within, done := context.WithTimeout(context.Background(), 10*time.Second)
		defer done()
		err = errors.Join(err, a.Stop(within))
	}()
	if err := a.Start(ctx); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "Plumb is AWS Config that you run yourself. This server began to answer after %d ms, at %s.\n",
		time.Since(begun).Milliseconds(), a.URL())
	if err := demo.Tell(ctx, out, stage(ctx, s, a.URL(), out)); err != nil {
		return err
	}
	if !keep {
		fmt.Fprint(out, "\nThat was all. \"plumb demo --keep\" leaves the server running; \"plumb serve\" runs one that remembers.\n")
		return nil
	}
	goOn(out, s, a.URL(), a.Console())
	return a.Wait(ctx)
}

// stage says what the story may use on this machine.
func stage(ctx context.Context, s settings.Settings, url string, out io.Writer) demo.Stage {
	host := (&environment.Runtimes{}).Look(ctx)
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return demo.Stage{
		URL: url, Account: s.Account, Region: s.Region, Color: isTerminal(out), Bootstrap: self,
		Python: host.Boto3 != "",
	}
}

// isTerminal reports whether somebody looks at the output who may like colours.
func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func goOn(out io.Writer, s settings.Settings, url, console string) {
	fmt.Fprintf(out, `
Look at the story in a browser: %s

Go on with the AWS CLI in another terminal; ctrl-C here ends the server and forgets everything.

  export AWS_ENDPOINT_URL=%s AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=any AWS_REGION=%s AWS_DEFAULT_REGION=%s
  aws configservice describe-compliance-by-config-rule
  aws configservice get-resource-config-history --resource-type AWS::S3::Bucket --resource-id demo-reports
  aws s3api put-bucket-versioning --bucket demo-reports --versioning-configuration Status=Enabled
  aws configservice get-compliance-details-by-config-rule --config-rule-name important-buckets-keep-versions
`, console, url, s.Account, s.Region, s.Region)
}
