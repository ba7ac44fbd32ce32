package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"plumb/internal/rule/managed"
	"plumb/internal/rulebench"
	"plumb/internal/ruledev"
	"plumb/internal/settings"
)

const savedItem = `{"resourceType": "AWS::S3::Bucket", "resourceId": "logs", "tags": {"owner": "a"}, "configuration": {"name": "logs"}}`

// The rules that an author saves; %d makes each save another text.
const (
	savedGuard = "# %d\nrule owned when resourceType == \"AWS::S3::Bucket\" { tags.owner exists }\n"
	savedCEL   = "# %d\nidentifier: OWNED\ndescription: Owned.\nresources: [AWS::S3::Bucket]\ntrigger: change\ncheck: \"'owner' in tags\"\n"
)

// save measures how long it takes from a saved rule to the verdict of "plumb rule
// dev": a function is a new process each time, whose floor is that of an interpreter
// that loads the SDK.
func save(ctx context.Context, b *bench) error {
	for _, one := range []struct {
		what, file, text string
		goal             time.Duration
	}{
		{"save to verdict, Guard", "rule.guard", savedGuard, 100 * time.Millisecond},
		{"save to verdict, CEL", "rule.yaml", savedCEL, 100 * time.Millisecond},
	} {
		took, err := b.saves(ctx, b.options.changes, one.file, one.text, nil)
		if err != nil {
			return err
		}
		b.table.latencies(one.what, took, one.goal)
	}
	if _, boto3 := python(ctx); !boto3 {
		b.table.missing("save to verdict, Python function", "no python3 with boto3 here")
		return nil
	}
	n := max(1, b.options.changes/4)
	floor, err := interpreterStarts(ctx, n)
	if err != nil {
		return err
	}
	b.table.latencies("floor: python3 loads boto3 and makes a client", floor, 0)
	s := settings.Default()
	server, err := rulebench.Start(ctx, slog.New(slog.DiscardHandler), rulebench.Options{Settings: s})
	if err != nil {
		return err
	}
	defer server.Close()
	took, err := b.saves(ctx, n, "rule.py", "# %d\n"+savedPython, server)
	if err != nil {
		return err
	}
	b.table.latencies("save to verdict, Python function", took, 500*time.Millisecond)
	return nil
}

// savedPython is what a new Python rule is.
const savedPython = `import json
import boto3
config = boto3.client('config')
def lambda_handler(event, context):
    item = json.loads(event['invokingEvent'])['configurationItem']
    config.put_evaluations(ResultToken=event['resultToken'], Evaluations=[{
        'ComplianceResourceType': item['resourceType'], 'ComplianceResourceId': item['resourceId'],
        'ComplianceType': 'COMPLIANT' if 'owner' in item['tags'] else 'NON_COMPLIANT', 'OrderingTimestamp': item['configurationItemCaptureTime']}])
`

// saves times rounds of a session, each after a save.
func (b *bench) saves(ctx context.Context, n int, file, text string, server *rulebench.Bench) ([]time.Duration, error) {
	folder, err := os.MkdirTemp(b.dir, "saved")
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(folder, "fixtures"), 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(folder, "fixtures", "logs.json"), []byte(savedItem), 0o600); err != nil {
		return nil, err
	}
	catalogue, err := managed.Load() // as a session that watches has done
	if err != nil {
		return nil, err
	}
	s := ruledev.Session{
		Folder: folder, Out: io.Discard, Limit: 1, Managed: func() (*managed.Catalogue, error) { return catalogue, nil },
		Bench: func(context.Context) (*rulebench.Bench, error) { return server, nil },
	}
	var took []time.Duration
	for i := range n + 1 {
		if err := os.WriteFile(filepath.Join(folder, file), fmt.Appendf(nil, text, i), 0o600); err != nil {
			return nil, err
		}
		began := time.Now()
		if err := s.Round(ctx); err != nil {
			return nil, err
		}
		if i > 0 { // the first is no save, but the start of the session
			took = append(took, time.Since(began))
		}
	}
	return took, nil
}

func interpreterStarts(ctx context.Context, n int) ([]time.Duration, error) {
	var took []time.Duration
	for range n {
		cmd := exec.CommandContext(ctx, "python3", "-c", "import json, boto3; boto3.client('config', region_name='us-east-1')")
		began := time.Now()
		if err := cmd.Run(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}
